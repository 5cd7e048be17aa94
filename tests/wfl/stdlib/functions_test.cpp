// The functions of the library, called as the VM calls them.
#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <string>
#include <vector>

#include "wfl/language/builtins.h"
#include "wfl/stdlib/json.h"
#include "wfl/stdlib/registry.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/stdlib/wflhash.h"
#include "wfl/vm/heap.h"
#include "wfl/vm/operations.h"
#include "wfl/vm/vm.h"

namespace wfl::stdlib {
namespace {

using vm::Value;

class Functions : public ::testing::Test {
 protected:
  Functions() { register_builtins(machine_, runtime_); }

  Value text(std::string_view bytes) { return Value::object(machine_.heap().text(bytes)); }
  Value list(std::vector<Value> items) { return Value::object(machine_.heap().list(std::move(items))); }
  static Value number(double n) { return Value::number(n); }

  // What the call gives, as `display` shows it; "error: …" when it fails.
  std::string shown(std::string_view name, std::vector<Value> arguments) {
    const auto result = machine_.call(machine_.get_global(name), arguments);
    return result ? vm::display(*result) : "error: " + result.error().message;
  }
  Value value(std::string_view name, std::vector<Value> arguments) {
    auto result = machine_.call(machine_.get_global(name), arguments);
    EXPECT_TRUE(result) << name;
    return result ? *result : Value::null();
  }

  Runtime runtime_;
  vm::Vm machine_;
};

TEST_F(Functions, EachRowOfTheTableHasAFunction) {
  for (const language::Builtin& builtin : language::kBuiltins) {
    EXPECT_NE(find_function(builtin.name), nullptr) << builtin.name;
    language::for_each_name(builtin, [&](std::string_view name) {
      EXPECT_TRUE(machine_.get_global(name).is(vm::ObjectKind::kNative)) << name;
    });
  }
}

TEST_F(Functions, TextPositionsCountCharacters) {
  EXPECT_EQ(shown("length", {text("größe€")}), "6");
  EXPECT_EQ(shown("substring", {text("größe€"), number(2), number(3)}), "öße");
  EXPECT_EQ(shown("substring", {text("abc"), number(-4), number(2)}), "ab");
  EXPECT_EQ(shown("substring", {text("abc"), number(9), number(2)}), "");
  EXPECT_EQ(shown("indexof", {text("größe"), text("e")}), "4");
  EXPECT_EQ(shown("indexof", {text("größe"), text("x")}), "-1");
  EXPECT_EQ(shown("last_index_of", {text("öaöa"), text("a")}), "3");
  EXPECT_EQ(shown("reverse", {text("aö€")}), "€öa");
  EXPECT_EQ(shown("padleft", {text("é"), number(3)}), "  é");
}

TEST_F(Functions, CaseMappingKnowsLongForms) {
  EXPECT_EQ(shown("touppercase", {text("straße")}), "STRASSE");
  EXPECT_EQ(shown("tolowercase", {text("ΟΔΟΣ")}), "οδος");
  EXPECT_EQ(shown("capitalize", {text("éa")}), "Éa");
  EXPECT_EQ(shown("trim", {text("\u2003 a b\t\n")}), "a b");
}

TEST_F(Functions, SplitKeepsEmptyPartsAndRefusesNoDelimiter) {
  EXPECT_EQ(shown("split", {text("a,,b,"), text(",")}), "[a, , b, ]");
  EXPECT_EQ(shown("split", {text(""), text(",")}), "[]");
  EXPECT_EQ(value("split", {text(""), text(",")}).as<vm::List>()->items.size(), 1U);
  EXPECT_EQ(shown("split", {text("ab"), text("")}), "error: Empty delimiter not allowed in string split");
}

TEST_F(Functions, FormatNumberRoundsTheExactBinaryValue) {
  EXPECT_EQ(shown("format_number", {number(2.5), number(0)}), "2");
  EXPECT_EQ(shown("format_number", {number(0.125), number(2)}), "0.12");
  EXPECT_EQ(shown("format_number", {number(1.005), number(2)}), "1.00");
  EXPECT_EQ(shown("format_number", {number(1e300), number(0)}).size(), 301U);
  EXPECT_EQ(shown("format_number", {number(1), number(18)}),
            "error: format_number expects a whole-number precision between 0 and 17, got 18");
}

TEST_F(Functions, MathRoundsHalvesAwayFromZero) {
  EXPECT_EQ(shown("round", {number(2.5)}), "3");
  EXPECT_EQ(shown("round", {number(-2.5)}), "-3");
  EXPECT_EQ(shown("sqrt", {number(-4)}), "error: sqrt of negative number: -4");
  EXPECT_EQ(shown("clamp", {number(1), number(5), number(2)}),
            "error: clamp min (5) must be less than or equal to max (2)");
}

TEST_F(Functions, SortPutsEveryKindInItsPlace) {
  const Value all =
      list({text("b"), Value::null(), number(2), Value::boolean(true), text("a"), number(NAN), number(-1)});
  EXPECT_TRUE(value("sort", {all}).is_null());
  EXPECT_EQ(vm::display(all), "[-1, 2, NaN, a, b, yes, nothing]");
}

TEST_F(Functions, ListErrorsSayWhatWasAskedFor) {
  EXPECT_EQ(shown("pop", {list({})}), "error: Cannot pop from an empty list");
  EXPECT_EQ(shown("shift", {list({})}), "error: Cannot shift from an empty list");
  EXPECT_EQ(shown("remove_at", {list({number(1)}), number(1)}), "error: Index 1 out of bounds for list of length 1");
  EXPECT_EQ(shown("insert_at", {list({}), number(2), number(1)}),
            "error: Index 2 out of bounds for insert into list of length 0");
  EXPECT_EQ(shown("push", {number(1), number(2)}), "error: Expected a list, got Number");
  EXPECT_EQ(shown("length", {number(1)}), "error: length expects a list, text, or binary, got Number");
}

TEST_F(Functions, UniqueTellsTypesApart) {
  EXPECT_EQ(shown("unique", {list({number(1), text("1"), number(1), text("1")})}), "[1, 1]");
  EXPECT_EQ(shown("slice", {list({number(1), number(2), number(3)}), number(-1), number(2)}), "[1, 2]");
}

TEST_F(Functions, RandomStaysInItsRangeAndFollowsItsSeed) {
  const auto draw = [&] {
    value("random_seed", {number(42)});
    std::string drawn;
    for (int i = 0; i < 20; ++i) {
      const double n = value("random_int", {number(-2), number(2)}).as_number();
      EXPECT_GE(n, -2);
      EXPECT_LE(n, 2);
      drawn += vm::format_number(n) + " ";
    }
    return drawn;
  };
  EXPECT_EQ(draw(), draw());
  EXPECT_EQ(shown("random_between", {number(2), number(1)}),
            "error: random_between: min (2) cannot be greater than max (1)");
  const std::string uuid = shown("generate_uuid", {});
  EXPECT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '4');
}

TEST_F(Functions, DatesFollowTheCalendar) {
  const Value leap = value("create_date", {number(2024), number(2), number(29)});
  EXPECT_EQ(vm::display(leap), "2024-02-29");
  EXPECT_EQ(shown("add_days", {leap, number(366)}), "2025-03-01");
  EXPECT_EQ(shown("days_between", {leap, value("create_date", {number(2024), number(1), number(1)})}), "-59");
  EXPECT_EQ(shown("dayofweek", {leap}), "4");
  EXPECT_EQ(shown("dayofyear", {leap}), "60");
  EXPECT_EQ(shown("week_of_year", {value("create_date", {number(2021), number(1), number(3)})}), "53");
  EXPECT_EQ(shown("format_date", {leap, text("%d.%m.%Y")}), "29.02.2024");
  EXPECT_EQ(shown("parse_date", {text("01/03/2024"), text("%d/%m/%Y")}), "2024-03-01");
  EXPECT_EQ(shown("parse_date", {text("30/02/2024"), text("%d/%m/%Y")}),
            "error: Failed to parse date: '30/02/2024' names a day the calendar does not have");
  EXPECT_EQ(shown("create_date", {number(2024), number(13), number(1)}),
            "error: Month must be between 1 and 12, got 13");
  EXPECT_EQ(shown("create_time", {number(24), number(0)}), "error: Hours must be between 0 and 23, got 24");
  EXPECT_EQ(shown("datetime_from_timestamp", {number(86399)}), "1970-01-01 23:59:59");
  EXPECT_EQ(shown("datetime_from_timestamp", {number(1e30)}).substr(0, 30), "error: Invalid Unix timestamp:");
}

TEST_F(Functions, JsonNumbersHaveAFractionAndKeysAreSorted) {
  EXPECT_EQ(json_number(30), "30.0");
  EXPECT_EQ(json_number(-0.0), "-0.0");
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(1e15), "1000000000000000.0");
  EXPECT_EQ(json_number(1e16), "1e16");
  EXPECT_EQ(json_number(1.5e-7), "1.5e-7");
  const Value parsed = value("parse_json", {text(R"({"b": [1, null, true], "a": "\u00e9\n"})")});
  EXPECT_EQ(shown("stringify_json", {parsed}), "{\"a\":\"é\\n\",\"b\":[1.0,null,true]}");
  EXPECT_EQ(shown("stringify_json_pretty", {list({number(1)})}), "[\n  1.0\n]");
  EXPECT_EQ(shown("parse_json", {text("{")}).substr(0, 28), "error: Failed to parse JSON:");
  EXPECT_EQ(shown("parse_json", {text(std::string(600, '[') + std::string(600, ']'))}),
            "error: Failed to parse JSON: it is nested deeper than 500 levels");
  const Value knot = list({});
  knot.as<vm::List>()->items.push_back(knot);
  EXPECT_EQ(shown("stringify_json", {knot}),
            "error: Cannot convert a value to JSON that is nested deeper than 500 levels or holds itself");
}

TEST_F(Functions, TomlWritesValuesBeforeTables) {
  const Value parsed = value("parse_toml", {text("port = 8080\nratio = 0.5\n[server]\nname = \"a\"\n")});
  EXPECT_EQ(shown("stringify_toml", {parsed}), "port = 8080\nratio = 0.5\n\n[server]\nname = \"a\"\n");
  EXPECT_EQ(shown("parse_toml", {text("a = 1\na = 2\n")}).substr(0, 28), "error: Failed to parse TOML:");
  EXPECT_EQ(shown("stringify_toml", {number(1)}).substr(0, 43), "error: Cannot convert Number to a TOML docu");
}

TEST_F(Functions, PathsAreTakenApart) {
  EXPECT_EQ(shown("path_join", {text("a"), text("b/"), text("c")}), "a/b/c");
  EXPECT_EQ(shown("path_join", {text("a"), text("/b")}), "/b");
  EXPECT_EQ(shown("path_basename", {text("/a/b.tar.gz")}), "b.tar.gz");
  EXPECT_EQ(shown("path_extension", {text("/a/b.tar.gz")}), "gz");
  EXPECT_EQ(shown("path_extension", {text("/a/.profile")}), "");
  EXPECT_EQ(shown("path_stem", {text("/a/b.tar.gz")}), "b.tar");
  EXPECT_EQ(shown("path_dirname", {text("/a/b")}), "/a");
  EXPECT_EQ(shown("path_dirname", {text("b")}), "");
  EXPECT_EQ(shown("file_size", {text("/no/such/file")}), "error: File does not exist: /no/such/file");
}

TEST_F(Functions, WebHelpersDecode) {
  EXPECT_EQ(shown("path_matches", {text("/users/7?x=1"), text("/users/:id")}), "yes");
  EXPECT_EQ(shown("path_params", {text("/files/a/b%20c"), text("/files/*rest")}), "a/b c");
  EXPECT_EQ(shown("path_params", {text("/files"), text("/files/*rest")}), "nothing");
  EXPECT_EQ(shown("mime_type", {text("A.HTML")}), "text/html; charset=utf-8");
  EXPECT_EQ(shown("parse_query_string", {text("?q=a+b%21&empty")}), "{q: a b!, empty: }");
  EXPECT_EQ(shown("parse_cookies", {text("a=1; junk; b = 2")}), "{a: 1, b: 2}");
}

TEST_F(Functions, HashesAgreeWithTheirStandards) {
  EXPECT_EQ(shown("sha256", {text("abc")}), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test case 2.
  EXPECT_EQ(shown("hmac_sha256", {text("what do ya want for nothing?"), text("Jefe")}),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 7914, section 11.
  EXPECT_EQ(shown("pbkdf2_hmac_sha256", {text("passwd"), text("salt"), number(1), number(64)}),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

TEST_F(Functions, WflhashDependsOnEverythingItIsGiven) {
  EXPECT_EQ(wflhash("", 32).size(), 32U);
  EXPECT_EQ(wflhash("", 64).size(), 64U);
  // The padding tells texts of neighbouring lengths apart, also around a block's end.
  for (const std::size_t size : {54U, 55U, 56U, 57U, 63U, 64U, 65U, 127U, 128U}) {
    EXPECT_NE(wflhash(std::string(size, '\0'), 32), wflhash(std::string(size + 1, '\0'), 32)) << size;
  }
  EXPECT_NE(wflhash("a", 32), wflhash_with_salt("a", "", 32));
  EXPECT_NE(shown("wflmac256", {text("a"), text("k")}), shown("wflmac256", {text("a"), text("l")}));
}

TEST_F(Functions, PasswordsAreVerifiedByWhateverHashedThem) {
  for (const char* algorithm : {"argon2", "bcrypt", "pbkdf2", "scrypt"}) {
    const Value hash = value(std::string(algorithm) + "_hash", {text("sesame")});
    EXPECT_EQ(shown(std::string(algorithm) + "_verify", {text("sesame"), hash}), "yes") << algorithm;
    EXPECT_EQ(shown("verify_password", {text("sesame"), hash}), "yes") << algorithm;
    EXPECT_EQ(shown("verify_password", {text("Sesame"), hash}), "no") << algorithm;
    EXPECT_EQ(shown(std::string(algorithm) + "_verify", {text("sesame"), text("$nonsense$")}), "no") << algorithm;
  }
}

TEST_F(Functions, SealedTextsOpenOnlyWithKeyAndContext) {
  const Value key = value("secure_random_bytes", {number(32)});
  const Value sealed = value("seal", {text("geheim €"), key, text("for:me")});
  EXPECT_EQ(shown("unseal", {sealed, key, text("for:me")}), "geheim €");
  EXPECT_TRUE(shown("unseal", {sealed, key, text("for:you")}).starts_with("error: unseal: the text was changed"));
  EXPECT_TRUE(shown("unseal", {text("wflseal1:00"), key}).starts_with("error: unseal: this is no sealed text"));
  EXPECT_TRUE(
      shown("seal", {text("x"), text("short")}).starts_with("error: seal: the key must be 64 hexadecimal digits"));
}

TEST(Unicode, BrokenBytesAreFoundAndRepaired) {
  EXPECT_TRUE(is_valid_utf8("aé€😀"));
  EXPECT_FALSE(is_valid_utf8("a\xff"));
  EXPECT_FALSE(is_valid_utf8("\xc3"));
  EXPECT_EQ(repair_utf8("a\xff"), "a\uFFFD");
}

}  // namespace
}  // namespace wfl::stdlib
