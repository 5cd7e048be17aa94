// The elements of a list: a vector that also gives and takes at its front in constant time, because programs use lists
// as queues. Elements that left the front leave room there, which is used again by what is put in front, and given back
// once it is more than half of the memory; so each step costs the same on average, whatever the length.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace wfl::vm {

template <class T>
class FrontVector {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  FrontVector() = default;
  FrontVector& operator=(std::vector<T> all) {
    all_ = std::move(all);
    head_ = 0;
    return *this;
  }

  [[nodiscard]] std::size_t size() const { return all_.size() - head_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t capacity() const { return all_.capacity(); }
  T* data() { return all_.data() + head_; }
  [[nodiscard]] const T* data() const { return all_.data() + head_; }
  T* begin() { return data(); }
  T* end() { return all_.data() + all_.size(); }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return all_.data() + all_.size(); }
  T& operator[](std::size_t i) { return all_[head_ + i]; }
  const T& operator[](std::size_t i) const { return all_[head_ + i]; }
  T& front() { return all_[head_]; }
  [[nodiscard]] const T& front() const { return all_[head_]; }
  T& back() { return all_.back(); }
  [[nodiscard]] const T& back() const { return all_.back(); }

  void reserve(std::size_t count) { all_.reserve(head_ + count); }
  void clear() {
    all_.clear();
    head_ = 0;
  }
  void push_back(T item) { all_.push_back(std::move(item)); }
  template <class... Arguments>
  void emplace_back(Arguments&&... arguments) {
    all_.emplace_back(std::forward<Arguments>(arguments)...);
  }
  void pop_back() {
    all_.pop_back();
    give_room_back();
  }
  void pop_front() {
    all_[head_] = T();
    ++head_;
    give_room_back();
  }
  void push_front(T item) {
    if (head_ == 0) {
      const std::size_t room = kLeastRoom + size() / 2;
      all_.insert(all_.begin(), room, T());
      head_ = room;
    }
    all_[--head_] = std::move(item);
  }
  template <class Iterator>
  void assign(Iterator first, Iterator last) {
    all_.assign(first, last);
    head_ = 0;
  }
  void insert(const T* at, T item) {
    if (at == begin()) return push_front(std::move(item));
    all_.insert(all_.begin() + (at - all_.data()), std::move(item));
  }
  void erase(const T* at) {
    if (at == begin()) return pop_front();
    all_.erase(all_.begin() + (at - all_.data()));
  }

 private:
  static constexpr std::size_t kLeastRoom = 16;

  void give_room_back() {
    if (head_ <= kLeastRoom || head_ <= all_.size() / 2) return;
    all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }

  std::vector<T> all_;
  std::size_t head_ = 0;
};

}  // namespace wfl::vm
