// What users write to control files, and in mount options and documents: settings, sizes, verbs.
#include "fuzz/input.h"
#include "sys/error.h"
#include "sys/size_text.h"
#include "volume/settings.h"
#include "volume/verbs.h"

namespace {

using namespace tcmufs;

/// What has been taken is shown in a way that gives the same again.
void set(volume::Settings& settings, const std::string& name, const std::string& value) {
  try {
    settings = volume::with_setting(settings, name, value, "'db0'");
  } catch (const Failure& failure) {
    fuzz::require(failure.error() == EINVAL, "a value there is not is EINVAL");
    fuzz::require(!std::string(failure.what()).empty(), "a refusal has words");
    return;
  }
  for (const std::string& each : volume::setting_names()) {
    const std::string shown = volume::setting_text(settings, each);
    fuzz::require(volume::with_setting(settings, each, shown, "'db0'") == settings,
                  "what is shown can be written back");
  }
}

void parse(const std::string& text) {
  try {
    fuzz::require(size_from_text(text) < u64{1} << 63, "a size fits off_t");
  } catch (const BadSize&) {
  }
  try {
    fuzz::require(size_change_from_text(text).applied_to(u64{1} << 30) < u64{1} << 63, "a size fits off_t");
  } catch (const BadSize&) {
  }
  try {
    static_cast<void>(volume::verb_of(text, ".ctl/vol/db0/ctl"));
  } catch (const Failure& failure) {
    fuzz::require(failure.error() == EINVAL, "a verb there is not is EINVAL");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto names = volume::setting_names();
  volume::Settings settings;
  while (!input.empty()) {
    const std::string& name = names[input.byte() % names.size()];
    const auto bytes = input.bytes(input.byte());
    const std::string value(bytes.begin(), bytes.end());
    set(settings, name, value);
    parse(value);
  }
  return 0;
}
