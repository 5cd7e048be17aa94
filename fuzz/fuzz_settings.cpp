// Any bytes are a .wflcfg: reading one must come to an end, name lines that are there, and keep every limit inside of
// its range.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wfl/driver/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  wfl::driver::Config config;
  wfl::driver::read_config_text(text, "fuzz.wflcfg", config);
  const auto& settings = config.settings;
  if (!(settings.timeout_seconds >= 1 && settings.timeout_seconds <= 300)) std::abort();
  if (settings.max_call_depth == 0 || settings.max_processes == 0 || settings.max_source_bytes == 0) std::abort();
  if (config.lint.indent == 0 || config.lint.max_line_length == 0) std::abort();
  for (const auto& warning : config.warnings) {
    if (!warning.starts_with("fuzz.wflcfg:")) std::abort();
  }
  return 0;
}
