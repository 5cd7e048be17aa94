// The keystore statements of the language, as host functions (language/host_functions.def, section keystore.*).
#pragma once

#include <string>
#include <vector>

#include "wfl/vm/vm.h"

namespace wfl::keystore {

// Registers the host functions in the VM. Call it once, after the library's own host functions: `close S` and
// `length of S` and the like belong to them, and know keystores only through vm::HostObject.
void register_keystore_statements(vm::Vm& machine);

// Closes every keystore the program has left open, also after an error; a batch that is under way is dropped. To be
// called when the program has ended and before the VM does. Gives one sentence for each that could not be closed
// properly.
[[nodiscard]] std::vector<std::string> close_keystores(vm::Vm& machine);

}  // namespace wfl::keystore
