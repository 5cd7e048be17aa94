// What `wfl --test` prints behind the program's own output.
#pragma once

#include <functional>
#include <string>

#include "wfl/vm/vm.h"

namespace wfl::driver {

std::string render_test_report(const vm::TestResults& results,
                               const std::function<std::uint32_t(const vm::CodeSpan&)>& line_of);

}  // namespace wfl::driver
