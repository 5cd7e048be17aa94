// NAME_debug.txt: what was going on when a program failed, for whoever looks into it later.
#pragma once

#include <filesystem>
#include <optional>

#include "wfl/syntax/diagnostic.h"
#include "wfl/vm/vm.h"

namespace wfl::driver {

class Session;

// Writes the report beside the script. Nothing when it could not be written: a report is never worth a second error.
std::optional<std::filesystem::path> write_debug_report(const std::filesystem::path& script,
                                                        const syntax::Diagnostic& diagnostic, Session& session,
                                                        const vm::RuntimeError& error);

}  // namespace wfl::driver
