// `execute file at P`: another program in an interpreter of its own.
#pragma once

#include "wfl/vm/native.h"

namespace wfl::driver {

class Session;

void register_execute_file(vm::HostTable& table, Session& session);

}  // namespace wfl::driver
