// Runs a WFL program from a text: parser, compiler and VM, without the driver and the library.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wfl/compile/compiler.h"
#include "wfl/syntax/parser.h"
#include "wfl/vm/vm.h"

namespace wfl::test {

struct Outcome {
  std::string output;
  std::string error;  // The uncaught error's message; empty when there was none.
  language::ErrorKind kind = language::ErrorKind::kGeneral;
  std::uint32_t line = 0;  // Where the error was.
  std::vector<std::string> parse_errors;
  vm::TestResults tests;
  std::uint64_t collections = 0;
};

struct RunOptions {
  vm::Vm::Dispatch dispatch = vm::Vm::Dispatch::kComputedGoto;
  bool collect_always = false;
  bool keep_globals = false;
  bool test_mode = false;
  std::uint64_t operations = 0;
  std::uint32_t call_depth = 1000;
  std::map<std::string, std::string> files = {};  // What include and load module find.
};

Outcome run_program(const std::string& text, const RunOptions& options = {});

// What the host functions of the tests were asked, one line a call; cleared by each run.
std::string& host_log();

// Runs the program in all variants (both dispatch loops, collecting at every safepoint, all names global), expects them
// to agree, and returns the output, with "error: MESSAGE" as the last line when the program failed.
std::string run_all_ways(const std::string& text);

}  // namespace wfl::test
