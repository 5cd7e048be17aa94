#include "wfl/driver/test_report.h"

namespace wfl::driver {

std::string render_test_report(const vm::TestResults& results,
                               const std::function<std::uint32_t(const vm::CodeSpan&)>& line_of) {
  constexpr std::size_t kWidth = 60;
  const std::string double_rule = std::string(kWidth, '=') + "\n";
  std::string thin_rule;
  for (std::size_t i = 0; i < kWidth; ++i) thin_rule += "\u2500";
  thin_rule += "\n";

  std::string out = "\n" + double_rule + "Test Results\n" + double_rule;
  out += "Total:  " + std::to_string(results.passed + results.failed) + "\n";
  out += "Passed: " + std::to_string(results.passed) + " \u2713\n";
  out += "Failed: " + std::to_string(results.failed) + " \u2717\n";
  if (!results.failures.empty()) {
    out += thin_rule + "Failures:\n" + thin_rule;
    std::size_t number = 0;
    for (const vm::TestFailure& failure : results.failures) {
      out += "\n" + std::to_string(++number) + ". " + failure.name + "\n";
      std::string context;
      for (const std::string& part : failure.context) context += (context.empty() ? "" : " > ") + part;
      if (!context.empty()) out += "   Context: " + context + "\n";
      out += "   " + failure.message + "\n";
      out += "   at line " + std::to_string(line_of(failure.span)) + "\n";
    }
  }
  return out + double_rule;
}

}  // namespace wfl::driver
