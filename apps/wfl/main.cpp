#include <string_view>
#include <vector>

#include "wfl/tools/command.h"

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  return wfl::tools::run_command(arguments);
}
