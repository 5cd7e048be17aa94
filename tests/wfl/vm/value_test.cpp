// Values, texts, maps, display forms, equality, copies, and the heap.
#include "wfl/vm/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <unordered_map>

#include "wfl/vm/heap.h"
#include "wfl/vm/operations.h"
#include "wfl/vm/utf8.h"

namespace wfl::vm {
namespace {

TEST(Value, TellsItsKindsApart) {
  Heap heap;
  for (const double n : {0.0, -0.0, 1.5, -1e308, std::numeric_limits<double>::infinity(),
                         -std::numeric_limits<double>::infinity(), std::nan(""), -std::nan("")}) {
    EXPECT_TRUE(Value(n).is_number());
    EXPECT_FALSE(Value(n).is_object());
  }
  EXPECT_TRUE(std::isnan(Value(0.0 / std::numeric_limits<double>::quiet_NaN()).as_number()));
  EXPECT_TRUE(Value::boolean(false).is_boolean());
  EXPECT_TRUE(Value::boolean(true).as_boolean());
  EXPECT_FALSE(Value::null().is_boolean());
  EXPECT_TRUE(Value::null().is_null());
  EXPECT_TRUE(Value::nothing().is_null());
  EXPECT_FALSE(Value::undefined().is_null());
  const Value text(heap.text("x"));
  EXPECT_TRUE(text.is_text());
  EXPECT_FALSE(text.is_number());
  EXPECT_EQ(text.try_as<List>(), nullptr);
}

TEST(Display, NumbersAreShortestAndHaveNoExponent) {
  EXPECT_EQ(format_number(75000), "75000");
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(-0.0), "-0");
  EXPECT_EQ(format_number(1e20), "100000000000000000000");
  EXPECT_EQ(format_number(1e23), "100000000000000000000000");
  EXPECT_EQ(format_number(1.5e-7), "0.00000015");
  EXPECT_EQ(format_number(-123456.789), "-123456.789");
  EXPECT_EQ(format_number(9007199254740993.0), "9007199254740992");
  EXPECT_EQ(format_number(std::nan("")), "NaN");
  EXPECT_EQ(format_number(-INFINITY), "-inf");
}

TEST(Display, NumbersReadBackAsTheSame) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const double n = std::bit_cast<double>(random());
    if (!std::isfinite(n)) continue;
    EXPECT_EQ(std::strtod(format_number(n).c_str(), nullptr), n);
  }
}

TEST(Display, MapsListsAndCycles) {
  Heap heap;
  Map* map = heap.map();
  EXPECT_EQ(display(Value(map)), "[Object]");
  heap.map_set(map, "a", Value(1.0));
  EXPECT_EQ(display(Value(map)), "1");
  heap.map_set(map, "b", Value(heap.text("t")));
  EXPECT_EQ(display(Value(map)), "{a: 1, b: t}");
  EXPECT_EQ(debug_form(Value(map)), "{a: 1, b: \"t\"}");
  List* list = heap.list();
  list->items = {Value(list), Value::boolean(true), Value::nothing()};
  EXPECT_EQ(display(Value(list)), "[<cycle>, yes, nothing]");
  List* deep = heap.list();
  for (int i = 0; i < 200; ++i) deep = heap.list({Value(deep)});
  EXPECT_NE(display(Value(deep)).find("<max-depth>"), std::string::npos);
}

TEST(Display, DatesAndTimes) {
  Heap heap;
  EXPECT_EQ(display(Value(heap.date(0))), "1970-01-01");
  EXPECT_EQ(display(Value(heap.date(-1))), "1969-12-31");
  EXPECT_EQ(display(Value(heap.time(86399))), "23:59:59");
  EXPECT_EQ(display(Value(heap.date_time(-1))), "1969-12-31 23:59:59");
}

TEST(Equality, IsDeepAndStopsOnCycles) {
  Heap heap;
  List* a = heap.list();
  List* b = heap.list();
  a->items = {Value(1.0), Value(a)};
  b->items = {Value(1.0), Value(b)};
  EXPECT_TRUE(equals(Value(a), Value(b)));
  b->items[0] = Value(2.0);
  EXPECT_FALSE(equals(Value(a), Value(b)));
  EXPECT_TRUE(equals(Value::null(), Value::nothing()));
  EXPECT_FALSE(equals(Value::null(), Value(0.0)));
  EXPECT_TRUE(equals(Value(0.1 + 0.2), Value(0.3)));
  EXPECT_FALSE(equals(Value(heap.text("1")), Value(1.0)));
  List* deep_a = heap.list();
  List* deep_b = heap.list();
  for (int i = 0; i < 100000; ++i) {
    deep_a = heap.list({Value(deep_a)});
    deep_b = heap.list({Value(deep_b)});
  }
  EXPECT_TRUE(equals(Value(deep_a), Value(deep_b)));
}

TEST(DeepCopy, KeepsSharingAndCycles) {
  Heap heap;
  List* inner = heap.list({Value(1.0)});
  List* outer = heap.list({Value(inner), Value(inner)});
  outer->items.push_back(Value(outer));
  auto* copy = deep_copy(heap, Value(outer)).as<List>();
  ASSERT_NE(copy, outer);
  EXPECT_EQ(copy->items[0], copy->items[1]);
  EXPECT_NE(copy->items[0], Value(inner));
  EXPECT_EQ(copy->items[2], Value(copy));
}

TEST(Text, CountsCodePointsAndFindsThem) {
  Heap heap;
  Text* text = heap.text("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
  EXPECT_EQ(text->length(), 5U);
  EXPECT_FALSE(text->ascii());
  EXPECT_EQ(text->byte_offset(2), 3U);
  EXPECT_EQ(text->byte_offset(9), text->size);
  const std::string line(1000, 'x');
  EXPECT_EQ(count_code_points(line + "\xC3\xA9" + line), 2001U);
  EXPECT_TRUE(is_valid_utf8("\xF0\x9F\x98\x80"));
  EXPECT_FALSE(is_valid_utf8("\xC0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xE2\x82"));
}

TEST(Texts, FindPositionsInAnyOrderInSeveralTexts) {
  Heap heap;
  std::vector<const Text*> texts;
  std::vector<std::vector<std::uint32_t>> offsets;
  const std::vector<std::string> characters = {"a", "é", "世", "😀"};
  std::mt19937 random(7);
  for (int t = 0; t < 20; ++t) {
    std::string bytes;
    std::vector<std::uint32_t> places;
    for (int i = 0; i < 50 + 40 * t; ++i) {
      places.push_back(static_cast<std::uint32_t>(bytes.size()));
      bytes += characters[random() % characters.size()];
    }
    texts.push_back(heap.text(bytes));
    offsets.push_back(places);
  }
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t t = random() % texts.size();
    const auto at = static_cast<std::uint32_t>(random() % offsets[t].size());
    ASSERT_EQ(texts[t]->byte_offset(at), offsets[t][at]) << t << " " << at;
    if (at + 1 < offsets[t].size()) {
      ASSERT_EQ(texts[t]->byte_offset(at + 1), offsets[t][at + 1]) << t << " " << at;
    }
  }
}

TEST(Text, AppendingNeverChangesAnotherText) {
  Heap heap;
  Text* base = heap.text(std::string(100, 'a'));
  Text* first = heap.concat(base, "1");
  Text* longer = heap.concat(first, "2");
  Text* other = heap.concat(first, "3");  // `longer` has used the room after `first`.
  Text* itself = heap.concat(longer, longer->view());
  EXPECT_EQ(base->view(), std::string(100, 'a'));
  EXPECT_EQ(first->view(), std::string(100, 'a') + "1");
  EXPECT_EQ(longer->view(), std::string(100, 'a') + "12");
  EXPECT_EQ(other->view(), std::string(100, 'a') + "13");
  EXPECT_EQ(itself->view(), std::string(100, 'a') + "12" + std::string(100, 'a') + "12");
  EXPECT_EQ(longer->length(), 102U);
}

TEST(Map, AgreesWithTheStandardMap) {
  Heap heap;
  Map* map = heap.map();
  std::unordered_map<std::string, double> model;
  std::mt19937 random(3);
  for (int i = 0; i < 50000; ++i) {
    const std::string key = "k" + std::to_string(random() % 700);
    Text* text = heap.text(key);
    switch (random() % 3) {
      case 0:
      case 1:
        map->set(text, Value(static_cast<double>(i)));
        model[key] = i;
        break;
      default:
        EXPECT_EQ(map->remove(text), model.erase(key) == 1);
        break;
    }
    ASSERT_EQ(map->size(), model.size());
  }
  for (const auto& [key, value] : model) {
    const Value* found = map->find(std::string_view(key));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->as_number(), value);
  }
}

TEST(Map, KeepsTheOrderOfInsertion) {
  Heap heap;
  Map* map = heap.map();
  for (int i = 0; i < 100; ++i) heap.map_set(map, std::to_string(99 - i), Value(static_cast<double>(i)));
  double expected = 0;
  for (const Map::Entry& entry : map->entries()) EXPECT_EQ(entry.value.as_number(), expected++);
}

TEST(Heap, FreesWhatNobodyReaches) {
  Heap heap;
  List* kept = heap.list();
  heap.add_root(Value(kept));
  for (int i = 0; i < 100; ++i) kept->items.emplace_back(heap.text("kept"));
  List* a = heap.list();
  List* b = heap.list({Value(a)});
  a->items.emplace_back(b);  // A cycle that nothing leads to.
  for (int i = 0; i < 1000; ++i) heap.text("garbage");
  heap.intern("only a name");
  heap.collect([](Tracer&) {});
  EXPECT_EQ(heap.object_count(), 101U);
  EXPECT_EQ(heap.intern("only a name")->view(), "only a name");
}

class Counted : public HostObject {
 public:
  explicit Counted(int* alive) : alive_(alive) { ++*alive_; }
  ~Counted() override { --*alive_; }
  [[nodiscard]] std::string_view type_name() const override { return "Counted"; }
  [[nodiscard]] std::string display() const override { return "counted"; }

 private:
  int* alive_;
};

TEST(Heap, EndsHostObjectsOnceEach) {
  int alive = 0;
  {
    Heap heap;
    heap.make<Counted>(&alive);
    heap.add_root(Value(static_cast<Object*>(heap.make<Counted>(&alive))));
    EXPECT_EQ(alive, 2);
    heap.collect([](Tracer&) {});
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace wfl::vm
