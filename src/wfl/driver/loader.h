// `include from` and `load module from`: finds the file beside the one that names it, parses, checks and compiles it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "wfl/vm/vm.h"

namespace wfl::driver {

class Session;

class Loader : public vm::ModuleLoader {
 public:
  explicit Loader(Session& session) : session_(session) {}

  // The program itself: a file that includes it again is a circle.
  void set_main(const std::filesystem::path& path);

  std::expected<std::unique_ptr<vm::FunctionProto>, vm::Error> load(vm::LoadKind kind, std::string_view path,
                                                                    vm::Module& module, vm::CodeSpan from) override;
  void finished(vm::LoadKind kind, vm::Error* error) override;

 private:
  // The files being run, outermost first.
  std::string chain() const;

  Session& session_;
  std::vector<std::filesystem::path> running_;
};

}  // namespace wfl::driver
