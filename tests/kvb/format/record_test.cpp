#include "kvb/format/record.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace kvb::format {
namespace {

constexpr std::uint32_t kLife = 0xC0FFEE;
constexpr std::uint64_t kOffset = 128;

RecordHeader header_for(std::string_view key, std::string_view value) {
  return {.seqno = 42,
          .hash = 0x0123456789ABCDEF,
          .timestamp_ns = 1'800'000'000'000'000'000,
          .type = RecordType::put,
          .flags = kFlagMoreOfBatch | (2u << kFlagKindShift),
          .key_bytes = static_cast<std::uint32_t>(key.size()),
          .value_bytes = static_cast<std::uint32_t>(value.size()),
          .ttl_seconds = 3600};
}

std::vector<std::byte> encoded(std::string_view key, std::string_view value) {
  const RecordHeader header = header_for(key, value);
  std::vector<std::byte> record(header.record_bytes());
  encode_record(header, key, value, record_seed(kLife, kOffset), record);
  return record;
}

std::optional<RecordHeader> decode(const std::vector<std::byte>& record, std::uint32_t life, std::uint64_t offset) {
  return decode_record_header(std::span(record).first<kRecordHeaderBytes>(), record_seed(life, offset));
}

TEST(Record, comes_back) {
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"k", ""},
                                   {std::string("\0\xFF", 2), std::string(1000, '\0')},
                                   {std::string(65'535, 'k'), "value"}}) {
    const auto record = encoded(key, value);
    EXPECT_EQ(record.size(), key.size() + value.size() + 48);
    const auto header = decode(record, kLife, kOffset);
    ASSERT_TRUE(header.has_value());
    EXPECT_EQ(header->seqno, 42u);
    EXPECT_EQ(header->hash, 0x0123456789ABCDEFu);
    EXPECT_EQ(header->timestamp_ns, 1'800'000'000'000'000'000);
    EXPECT_EQ(header->type, RecordType::put);
    EXPECT_TRUE(header->more_of_batch());
    EXPECT_EQ(header->kind(), 2);
    EXPECT_EQ(header->ttl_seconds, 3600u);
    EXPECT_EQ(header->expires_at_ns(), 1'800'003'600'000'000'000);
    EXPECT_EQ(record_key(record.data(), *header), key);
    EXPECT_EQ(record_value(record.data(), *header), value);
    EXPECT_TRUE(check_record_body(record));
  }
}

TEST(Record, every_changed_byte_is_noticed) {
  auto record = encoded("a key", "and its value");
  for (std::size_t i = 0; i < record.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      record[i] ^= static_cast<std::byte>(1u << bit);
      const auto header = decode(record, kLife, kOffset);
      EXPECT_FALSE(header && header->record_bytes() == record.size() && check_record_body(record))
          << "byte " << i << " bit " << bit;
      record[i] ^= static_cast<std::byte>(1u << bit);
    }
  }
}

TEST(Record, R2_is_bound_to_its_place_and_its_life) {
  const auto record = encoded("key", "value");
  EXPECT_TRUE(decode(record, kLife, kOffset).has_value());
  EXPECT_FALSE(decode(record, kLife, kOffset + 1).has_value());
  EXPECT_FALSE(decode(record, kLife, kOffset + 4096).has_value());
  EXPECT_FALSE(decode(record, kLife + 1, kOffset).has_value());
}

TEST(Record, the_body_is_bound_to_its_header) {
  // The body of one record behind the header of another, both of the same place, lengths and lives.
  auto one = encoded("key", "value one");
  RecordHeader header = header_for("key", "value two");
  header.seqno = 43;
  std::vector<std::byte> two(header.record_bytes());
  encode_record(header, "key", "value two", record_seed(kLife, kOffset), two);
  std::copy(two.begin(), two.begin() + kRecordHeaderBytes, one.begin());
  EXPECT_TRUE(decode(one, kLife, kOffset).has_value());
  EXPECT_FALSE(check_record_body(one));
}

TEST(Record, impossible_fields_are_refused_whatever_the_checksum_says) {
  const auto decodes = [](const std::function<void(RecordHeader&)>& change) {
    RecordHeader header = header_for("key", "value");
    change(header);
    std::vector<std::byte> bytes(kRecordHeaderBytes);
    (void)encode_record_header(header, record_seed(kLife, kOffset), std::span(bytes).first<kRecordHeaderBytes>());
    return decode(bytes, kLife, kOffset).has_value();
  };
  EXPECT_TRUE(decodes([](RecordHeader&) {}));
  EXPECT_FALSE(decodes([](RecordHeader& h) { h.key_bytes = 0; }));
  EXPECT_FALSE(decodes([](RecordHeader& h) { h.key_bytes = 65'536; }));
  EXPECT_FALSE(decodes([](RecordHeader& h) { h.flags = 1; }));
  EXPECT_FALSE(decodes([](RecordHeader& h) { h.type = static_cast<RecordType>(2); }));
  EXPECT_FALSE(decodes([](RecordHeader& h) { h.encoding = static_cast<Encoding>(9); }));
  EXPECT_TRUE(decodes([](RecordHeader& h) { h.encoding = Encoding::block; }));
  EXPECT_FALSE(decodes([](RecordHeader& h) {
    h.type = RecordType::remove;
    h.encoding = Encoding::block;
  }));
}

TEST(Record, an_expiry_beyond_the_clock_is_never) {
  RecordHeader header;
  header.timestamp_ns = INT64_MAX - 5;
  header.ttl_seconds = 1;
  EXPECT_EQ(header.expires_at_ns(), INT64_MAX);
  header.ttl_seconds = 0;
  EXPECT_EQ(header.expires_at_ns(), INT64_MAX);
}

}  // namespace
}  // namespace kvb::format
