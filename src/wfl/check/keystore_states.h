// Which keystore variables are surely open, surely only to be read, or surely closed at a place in the text.
//
// Ways that meet keep only what all of them agree on. A loop's first round starts from what was before it, so what is
// said about its body is true of that round; behind a loop nothing is known of what its body opened or closed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "wfl/syntax/source.h"

namespace wfl::check {

struct KeystoreState {
  enum class Use : std::uint8_t { any, reading, snapshot };  // What it was opened for.
  bool closed = false;
  Use use = Use::any;
  syntax::SourceSpan place;  // Of the statement that opened or closed it.
};

class KeystoreStates {
 public:
  using Map = std::map<std::string_view, KeystoreState>;

  [[nodiscard]] const Map& now() const { return states_; }
  void restore(Map states) { states_ = std::move(states); }

  void set(std::string_view name, KeystoreState state) {
    states_[name] = state;
    events_.push_back({name, false});
  }
  // Something else is bound to the name, or nobody knows what.
  void forget(std::string_view name) {
    states_.erase(name);
    events_.push_back({name, false});
  }
  void use(std::string_view name) { events_.push_back({name, true}); }
  [[nodiscard]] const KeystoreState* find(std::string_view name) const {
    const auto found = states_.find(name);
    return found == states_.end() ? nullptr : &found->second;
  }

  // The flow does not go on from here (`break`, `give back`): what follows has no such way to meet.
  void end_way() { ended_ = true; }
  [[nodiscard]] bool take_ended() { return std::exchange(ended_, false); }

  [[nodiscard]] std::size_t mark() const { return events_.size(); }
  // Forgets what was set since the mark.
  void forget_since(std::size_t mark) {
    for (std::size_t i = mark; i < events_.size(); ++i) {
      if (!events_[i].is_use) states_.erase(events_[i].name);
    }
  }
  // Whether the name was used since the mark before anything set it.
  [[nodiscard]] bool needed_since(std::size_t mark, std::string_view name) const {
    const auto first = std::find_if(events_.begin() + static_cast<std::ptrdiff_t>(mark), events_.end(),
                                    [name](const Event& event) { return event.name == name; });
    return first != events_.end() && first->is_use;
  }

  static Map meet(const Map& a, const Map& b) {
    Map both;
    for (const auto& [name, state] : a) {
      const auto other = b.find(name);
      if (other != b.end() && other->second.closed == state.closed && other->second.use == state.use)
        both.emplace(name, state);
    }
    return both;
  }

 private:
  struct Event {
    std::string_view name;
    bool is_use;
  };
  Map states_;
  std::vector<Event> events_;
  bool ended_ = false;
};

}  // namespace wfl::check
