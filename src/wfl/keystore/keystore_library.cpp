#include "wfl/keystore/keystore_library.h"

#include "wfl/keystore/statements.h"

namespace wfl::keystore {

void register_keystore_statements(vm::Vm& machine) {
  vm::HostTable& table = machine.hosts();
  register_lifecycle_statements(table);
  register_key_statements(table);
  register_range_statements(table);
  register_batch_statements(table, machine.service<Library>());
  register_care_statements(table);
}

std::vector<std::string> close_keystores(vm::Vm& machine) {
  const auto& library = machine.service<Library>();
  library.keystores->close_all();
  return library.keystores->take_problems();
}

}  // namespace wfl::keystore
