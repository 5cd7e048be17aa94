#include "kvb/format/dictionary.h"

// The trainer whose parameters are not searched for, which takes a tenth of the time and gives the same, is declared
// for those who ask for it only.
#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>
#include <zstd.h>

#include <algorithm>
#include <utility>

#include "kvb/format/endian.h"

namespace kvb::format {
namespace {

constexpr std::uint32_t kDictionaryMagic = 0xEC30A437;
constexpr std::size_t kIdOffset = 4;
constexpr std::size_t kLeastSamples = 8;

}  // namespace

Dictionary::Dictionary(std::uint16_t id, std::vector<std::byte> bytes) : id_(id), bytes_(std::move(bytes)) {}

Dictionary::~Dictionary() {
  ZSTD_freeDDict(decoding_.load());
  for (auto& one : encoding_) ZSTD_freeCDict(one.load());
}

const ZSTD_DDict_s* Dictionary::for_decoding() const {
  if (const auto* made = decoding_.load(std::memory_order_acquire)) return made;
  const std::scoped_lock lock(making_);
  if (decoding_.load() == nullptr) decoding_ = ZSTD_createDDict(bytes_.data(), bytes_.size());
  return decoding_.load();
}

const ZSTD_CDict_s* Dictionary::for_encoding(int level) const {
  auto& slot = encoding_[static_cast<std::size_t>(std::clamp(level, kLowestLevel, kHighestLevel))];
  if (const auto* made = slot.load(std::memory_order_acquire)) return made;
  const std::scoped_lock lock(making_);
  if (slot.load() == nullptr) slot = ZSTD_createCDict(bytes_.data(), bytes_.size(), level);
  return slot.load();
}

std::optional<std::uint16_t> dictionary_id(Bytes bytes) noexcept {
  if (bytes.size() < kIdOffset + 4 || bytes.size() > kMostDictionaryBytes ||
      load_le<std::uint32_t>(bytes.data()) != kDictionaryMagic) {
    return std::nullopt;
  }
  const auto id = load_le<std::uint32_t>(bytes.data() + kIdOffset);
  if (id < kLowestDictionaryId || id > UINT16_MAX) return std::nullopt;
  return static_cast<std::uint16_t>(id);
}

std::optional<std::vector<std::byte>> train_dictionary(std::string_view samples, const std::vector<std::size_t>& sizes,
                                                       std::size_t most_bytes, std::uint16_t id, int level) {
  if (sizes.size() < kLeastSamples) return std::nullopt;
  std::vector<std::byte> trained(std::min(most_bytes, kMostDictionaryBytes));
  ZDICT_fastCover_params_t how{};
  how.k = 256;  // Lengths that are looked at together,
  how.d = 8;    // and of the parts that are compared.
  how.f = 18;
  how.accel = 1;
  how.zParams.compressionLevel = level;
  const std::size_t content = ZDICT_trainFromBuffer_fastCover(trained.data(), trained.size(), samples.data(),
                                                              sizes.data(), static_cast<unsigned>(sizes.size()), how);
  if (ZDICT_isError(content) != 0) return std::nullopt;
  // Once more, for the id and for tables that fit the level.
  const std::size_t header = ZDICT_getDictHeaderSize(trained.data(), content);
  if (ZDICT_isError(header) != 0 || header >= content) return std::nullopt;
  std::vector<std::byte> dictionary(trained.size());
  const ZDICT_params_t parameters{.compressionLevel = level, .notificationLevel = 0, .dictID = id};
  const std::size_t bytes =
      ZDICT_finalizeDictionary(dictionary.data(), dictionary.size(), trained.data() + header, content - header,
                               samples.data(), sizes.data(), static_cast<unsigned>(sizes.size()), parameters);
  if (ZDICT_isError(bytes) != 0) return std::nullopt;
  dictionary.resize(bytes);
  if (dictionary_id(dictionary) != id) return std::nullopt;
  return dictionary;
}

DictionaryShelf::~DictionaryShelf() {
  for (Node* node = first_.load(); node != nullptr;) delete std::exchange(node, node->next);
}

const Dictionary* DictionaryShelf::add(std::uint16_t id, Bytes bytes) {
  const std::scoped_lock lock(adding_);
  const Dictionary* const known = find(id);
  if (known != nullptr && std::ranges::equal(known->bytes(), bytes)) return known;
  auto* const node = new Node(id, bytes, first_.load());
  first_.store(node, std::memory_order_release);
  return &node->dictionary;
}

}  // namespace kvb::format
