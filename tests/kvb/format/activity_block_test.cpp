#include "kvb/format/activity_block.h"

#include <gtest/gtest.h>

#include <array>

#include "kvb/format/crc32c.h"
#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

using Block = std::array<std::byte, kActivityBytes>;

// Each number is another one.
Activity numbered() {
  Activity activity{.opened_at_ns = -1, .as_of_ns = 1'900'000'000'000'000'000, .pid = 4242};
  std::uint64_t next = 1;
#define KVB_COUNTER(member, meaning) activity.member = next++;
#define KVB_GAUGE(member, meaning) activity.member = next++;
#define KVB_LATENCY(member, one_in, meaning)                                                                      \
  for (auto& count : activity.latency.member.buckets) {                                                           \
    count = next++;                                                                                               \
    activity.latency.member.count += count;                                                                       \
  }                                                                                                               \
  for (auto number : {&Latency::total_ns, &Latency::max_ns, &Latency::p50_ns, &Latency::p90_ns, &Latency::p99_ns, \
                      &Latency::p999_ns}) {                                                                       \
    activity.latency.member.*number = next++;                                                                     \
  }
#include <kvb/activity.def>
#undef KVB_COUNTER
#undef KVB_GAUGE
#undef KVB_LATENCY
  return activity;
}

Block encoded(const Activity& activity) {
  Block block;
  encode_activity(activity, block);
  return block;
}

TEST(ActivityBlock, comes_back_number_by_number) {
  const Activity before = numbered();
  const auto after = decode_activity(encoded(before));
  ASSERT_TRUE(after);
  EXPECT_EQ(after->opened_at_ns, before.opened_at_ns);
  EXPECT_EQ(after->as_of_ns, before.as_of_ns);
  EXPECT_EQ(after->pid, before.pid);
#define KVB_COUNTER(member, meaning) EXPECT_EQ(after->member, before.member);
#define KVB_GAUGE(member, meaning) EXPECT_EQ(after->member, before.member);
#define KVB_LATENCY(member, one_in, meaning)                                 \
  EXPECT_EQ(after->latency.member.buckets, before.latency.member.buckets);   \
  EXPECT_EQ(after->latency.member.count, before.latency.member.count);       \
  EXPECT_EQ(after->latency.member.total_ns, before.latency.member.total_ns); \
  EXPECT_EQ(after->latency.member.max_ns, before.latency.member.max_ns);     \
  EXPECT_EQ(after->latency.member.p50_ns, before.latency.member.p50_ns);     \
  EXPECT_EQ(after->latency.member.p90_ns, before.latency.member.p90_ns);     \
  EXPECT_EQ(after->latency.member.p99_ns, before.latency.member.p99_ns);     \
  EXPECT_EQ(after->latency.member.p999_ns, before.latency.member.p999_ns);
#include <kvb/activity.def>
#undef KVB_COUNTER
#undef KVB_GAUGE
#undef KVB_LATENCY
}

TEST(ActivityBlock, every_changed_byte_is_noticed) {
  const Block block = encoded(numbered());
  for (std::size_t at = 0; at < block.size(); ++at) {
    Block changed = block;
    changed[at] ^= std::byte{0x10};
    EXPECT_FALSE(decode_activity(changed)) << at;
  }
  EXPECT_FALSE(decode_activity(Block{})) << "Nobody writes.";
}

TEST(ActivityBlock, one_of_a_program_with_fewer_or_more_numbers_is_read) {
  Block block = encoded(numbered());
  const auto counters = load_le<std::uint16_t>(block.data() + 8);
  const auto sign = [&block] {
    store_le(block.data() + 4, crc32c_extend(0, std::span<const std::byte>(block).subspan(8)));
  };
  // The last counter becomes the first gauge.
  store_le(block.data() + 8, static_cast<std::uint16_t>(counters - 1));
  sign();
  const auto fewer = decode_activity(block);
  ASSERT_TRUE(fewer);
  EXPECT_EQ(fewer->expired_pins, 0U);
  EXPECT_EQ(fewer->write_pause_ns, numbered().write_pause_ns);
  EXPECT_EQ(fewer->longest_write_pause_ns, numbered().expired_pins);
  // More than fit are none.
  store_le(block.data() + 8, std::uint16_t{60'000});
  sign();
  EXPECT_FALSE(decode_activity(block));
}

}  // namespace
}  // namespace kvb::format
