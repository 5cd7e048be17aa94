// Every form of the keystore statements, how it is read, and what it meant before keystores came.
#include <gtest/gtest.h>

#include "wfl/syntax/parse_helper.h"

namespace wfl::syntax {
namespace {

TEST(KeystoreLifecycle, Create) {
  EXPECT_EQ(statement(R"(create keystore at "a.kvb" as cache)"), R"(create-keystore path="a.kvb" as=<cache>)");
  EXPECT_EQ(statement(R"(create keystore at "a.kvb" as store)"), R"(create-keystore path="a.kvb" as=<store>)");
  EXPECT_EQ(statement(R"(create keystore at base with ".kvb" as user cache)"),
            R"(create-keystore path=(concat <base> ".kvb") as=<user cache>)");
  EXPECT_EQ(statement(R"(create keystore at p with compression as s)"), "create-keystore path=<p> compression as=<s>");
  EXPECT_EQ(statement(R"(create keystore at p with encryption key "x" as s)"),
            R"(create-keystore path=<p> secret="x" as=<s>)");
  EXPECT_EQ(statement(R"(create keystore at p with compression and encryption key secret as s)"),
            "create-keystore path=<p> compression secret=<secret> as=<s>");
  EXPECT_EQ(
      statement(R"(create keystore at p with encryption key a with b and compression and relaxed durability as s)"),
      "create-keystore path=<p> compression relaxed secret=(concat <a> <b>) as=<s>");
  EXPECT_EQ(statement(R"(create keystore at p with (compression) as s)"),
            "create-keystore path=(concat <p> <compression>) as=<s>");
  EXPECT_EQ(statement(R"(create keystore at path_join of d and "x" with compression as s)"),
            R"(create-keystore path=(of <path_join> <d> "x") compression as=<s>)");
}

TEST(KeystoreLifecycle, Open) {
  EXPECT_EQ(statement(R"(open keystore at p as s)"), "open-keystore path=<p> as=<s>");
  EXPECT_EQ(statement(R"(open keystore at p for reading as s)"), "open-keystore path=<p> for-reading as=<s>");
  EXPECT_EQ(statement(R"(open keystore at p for reading with encryption key k and relaxed durability as store)"),
            "open-keystore path=<p> for-reading relaxed secret=<k> as=<store>");
  EXPECT_EQ(statement(R"(open or create keystore at p with compression as s)"),
            "open-or-create-keystore path=<p> compression as=<s>");
}

TEST(KeystoreLifecycle, WordsThatStayNames) {
  EXPECT_EQ(statement("create keystore as 5"), "store <keystore> value=5");
  EXPECT_EQ(statement(R"(create keystore path as "x")"), R"(store <keystore path> value="x")");
  EXPECT_EQ(statement("store key as 1"), "store <key> value=1");
  EXPECT_EQ(statement("store get value as 1"), "store <get value> value=1");
  EXPECT_EQ(statement("get value"), "expression <get value>");
  EXPECT_EQ(statement("get value of x from y"), "expression (of <get value> <x> <y>)");
  EXPECT_EQ(statement("store r as get value"), "store <r> value=<get value>");
  EXPECT_EQ(statement("call get value with x"), "expression (call <get value> <x>)");
  EXPECT_EQ(statement("store scan results as [1]"), "store <scan results> value=[1]");
  EXPECT_EQ(statement("scan results"), "expression <scan results>");
  EXPECT_EQ(statement("keep key"), "expression <keep key>");
  EXPECT_EQ(statement("increase key counter"), "expression <increase key counter>");
  EXPECT_EQ(statement("verify results"), "expression <verify results>");
  EXPECT_EQ(statement("take snapshot of s"), "expression (of <take snapshot> <s>)");
  EXPECT_EQ(statement("batch operations"), "expression <batch operations>");
  EXPECT_EQ(statement("compact"), "expression <compact>");
  EXPECT_EQ(statement("flush"), "expression <flush>");
  EXPECT_EQ(statement("display key id"), "display <key id>");
}

TEST(KeystoreLifecycle, Close) {
  EXPECT_EQ(statement("close keystore store"), "close-keystore <store>");
  EXPECT_EQ(statement("close keystore cache"),
            "close-keystore <cache>\n  if visible <keystore cache>:\n    close <keystore cache>");
  EXPECT_EQ(statement("close keystore"), "close <keystore>");
  EXPECT_EQ(statement("close store"), "close <store>");
  EXPECT_EQ(statement("close cache"), "close <cache>");
}

TEST(KeystorePut, Forms) {
  EXPECT_EQ(statement(R"(store "x" in store with key "k")"), R"(put value="x" in=<store> key="k")");
  EXPECT_EQ(statement("store user name in s with key k"), "put value=<user name> in=<s> key=<k>");
  EXPECT_EQ(statement(R"(store find p in t in s with key "k")"), R"(put value=(find <t> <p>) in=<s> key="k")");
  EXPECT_EQ(statement(R"(store "Hi " with name in s with key "k")"),
            R"(put value=(concat "Hi " <name>) in=<s> key="k")");
  EXPECT_EQ(statement(R"(store count in s with key "n")"), R"(put value=<count> in=<s> key="n")");
  EXPECT_EQ(statement("store a and b in s with key k"), "put value=(and <a> <b>) in=<s> key=<k>");
  EXPECT_EQ(statement(R"(store [1, 2] in caches["a"] with key key)"),
            R"(put value=[1, 2] in=(index <caches> "a") key=<key>)");
  EXPECT_EQ(statement("store yes in app.cache with key user id"),
            "put value=yes in=(property <app> <cache>) key=<user id>");
  EXPECT_EQ(statement("store 5 in (cache of app) with key count"), "put value=5 in=(of <cache> <app>) key=<count>");
  EXPECT_EQ(statement(R"(store call f with a and b in s with key "k")"),
            R"(put value=(call <f> <a> <b>) in=<s> key="k")");
  EXPECT_EQ(statement(R"(store length of t in s with key "k" with id plus 1)"),
            R"(put value=(of <length> <t>) in=<s> key=(concat "k" (plus <id> 1)))");
}

TEST(KeystorePut, DeclarationsStayWhatTheyWere) {
  EXPECT_EQ(statement(R"(store greeting as "in s with key k")"), R"(store <greeting> value="in s with key k")");
  EXPECT_EQ(statement("store x as find p in t"), "store <x> value=(find <t> <p>)");
  EXPECT_EQ(statement("store new constant x as 1"), "constant <x> value=1");
  EXPECT_EQ(statement("store list as 1"), "store <list> value=1");
  EXPECT_EQ(statement("store count values as 1"), "store <count values> value=1");
}

TEST(KeystorePut, TheFirstKeyClauseCounts) {
  EXPECT_EQ(statement(R"(store ("id " with key id) in s with key "last")"),
            R"(put value=(concat "id " <key id>) in=<s> key="last")");
  EXPECT_EQ(statement(R"(store "a" with b in s with key c with key d)"),
            R"(put value=(concat "a" <b>) in=<s> key=(concat <c> <key d>))");
}

TEST(KeystorePut, LifetimeConditionResult) {
  EXPECT_EQ(statement("store v in s with key k for 1 hour"), "put value=<v> in=<s> key=<k> for=1 hours");
  EXPECT_EQ(statement("store v in s with key k for rest seconds"), "put value=<v> in=<s> key=<k> for=<rest> seconds");
  EXPECT_EQ(statement("store v in s with key k for seconds minutes"),
            "put value=<v> in=<s> key=<k> for=<seconds> minutes");
  EXPECT_EQ(statement("store v in s with key k for (a day) plus 2 days"),
            "put value=<v> in=<s> key=<k> for=(plus <a day> 2) days");
  EXPECT_EQ(statement("store v in s with key k if missing as done"),
            "put value=<v> in=<s> key=<k> if-missing as=<done>");
  EXPECT_EQ(statement("store v in s with key k if present"), "put value=<v> in=<s> key=<k> if-present");
  EXPECT_EQ(statement(R"(store v in s with key k for 5 minutes if value is "a" with b as ok)"),
            R"(put value=<v> in=<s> key=<k> for=5 minutes if-value=(concat "a" <b>) as=<ok>)");
}

TEST(KeystorePut, SeveralStatementsOnALine) {
  EXPECT_EQ(parsed(R"(store 1 in s with key "a" store x as 1 display x)"),
            "put value=1 in=<s> key=\"a\"\nstore <x> value=1\ndisplay <x>\n");
  EXPECT_EQ(parsed("store 1 in s with key a for each x in xs: display x\nend for"),
            "put value=1 in=<s> key=<a>\nfor-each <x> in=<xs>\n  display <x>\n");
  EXPECT_EQ(parsed(R"(display "a" store x as 1)"), "display \"a\"\nstore <x> value=1\n");
}

TEST(KeystoreGet, Forms) {
  EXPECT_EQ(statement(R"(get value from store with key "k" as r)"), R"(get in=<store> key="k" as=<r>)");
  EXPECT_EQ(statement(R"(get value from s with key a with b or "none" with c as my value)"),
            R"(get in=<s> key=(concat <a> <b>) or=(concat "none" <c>) as=<my value>)");
  EXPECT_EQ(statement("get value from s with key key or x and y as list"),
            "get in=<s> key=<key> or=(and <x> <y>) as=<list>");
  EXPECT_EQ(statement("get time left from s with key k as t"), "get-time-left in=<s> key=<k> as=<t>");
  EXPECT_EQ(statement("get statistics from s as t"), "statistics in=<s> as=<t>");
  EXPECT_EQ(statement("get detailed statistics from s as t"), "detailed-statistics in=<s> as=<t>");
}

TEST(KeystoreContains, Readings) {
  EXPECT_EQ(value(R"(s contains key "k")"), R"((contains-key <s> "k"))");
  EXPECT_EQ(value(R"(store contains key "k")"), R"((contains-key <store> "k"))");
  EXPECT_EQ(value("s contains key k1"), "(contains-key <s> <k1> today=<key k1>)");
  EXPECT_EQ(value("s contains key k1[2]"), "(contains-key <s> (index <k1> 2) today=(index <key k1> 2))");
  EXPECT_EQ(value("s contains key 5"), "(contains-key <s> 5 today=(index <key> 5))");
  EXPECT_EQ(value("s contains key"), "(contains <s> <key>)");
  EXPECT_EQ(value("s contains keys"), "(contains <s> <keys>)");
  EXPECT_EQ(value("s contains key and a"), "(and (contains <s> <key>) <a>)");
  EXPECT_EQ(value(R"(s contains key "a" with x and b)"), R"((and (contains-key <s> (concat "a" <x>)) <b>))");
  EXPECT_EQ(value("s contains key count"), "(contains-key <s> <count>)");
  EXPECT_EQ(value("s contains key (e)"), "(contains-key <s> <e>)");
  EXPECT_EQ(value(R"(not (s contains key "k"))"), R"((not (contains-key <s> "k")))");
  EXPECT_EQ(value("x contains y"), "(contains <x> <y>)");
  EXPECT_EQ(value("t contains pattern p"), "(matches <t> <p>)");
  EXPECT_EQ(value("contains x in y"), "(of <contains> <y> <x>)");
  EXPECT_EQ(value("contains of y and x"), "(of <contains> <y> <x>)");
  EXPECT_EQ(parsed("check if store contains key \"greeting\":\n  display 1\nend check"),
            "if (contains-key <store> \"greeting\")\n  display 1\n");
}

TEST(KeystoreRemove, Readings) {
  EXPECT_EQ(statement(R"(remove key "k" from s)"), R"(remove-key in=<s> key="k")");
  EXPECT_EQ(statement("remove key k1 from s"),
            "remove-key in=<s> key=<k1>\n  if no keystore:\n    remove-from <s> value=<key k1>");
  EXPECT_EQ(statement("remove key 5 from s"),
            "remove-key in=<s> key=5\n  if no keystore:\n    remove-from <s> value=(index <key> 5)");
  EXPECT_EQ(statement(R"(remove key e["key"] from s)"),
            "remove-key in=<s> key=(index <e> \"key\")\n  if no keystore:\n    remove-from <s> value=(index <key e> "
            "\"key\")");
  EXPECT_EQ(statement("remove key from s"), "remove-from <s> value=<key>");
  EXPECT_EQ(statement("remove key (e) from s"), "remove-key in=<s> key=<e>");
  EXPECT_EQ(statement("remove key key of e from s"), "remove-key in=<s> key=(of <key> <e>)");
  EXPECT_EQ(statement("remove key (substring of t from 0 length 3) from s"),
            "remove-key in=<s> key=(of <substring> <t> 0 3)");
  EXPECT_EQ(statement("remove key k from s as gone"), "remove-key in=<s> key=<k> as=<gone>");
  EXPECT_EQ(statement(R"(remove key k from caches[1])"), "remove-key in=(index <caches> 1) key=<k>");
  EXPECT_EQ(statement(R"(remove "k" from s)"), R"(remove-from <s> value="k")");
  EXPECT_EQ(statement("remove x from names"), "remove-from <names> value=<x>");
}

TEST(KeystoreRemove, ManyKeys) {
  EXPECT_EQ(statement("remove keys starting with p from s"),
            "remove-keys in=<s> prefix=<p>\n  if no keystore:\n    remove-from <s> value=(concat <keys starting> <p>)");
  EXPECT_EQ(statement("remove all keys from s"),
            "remove-keys in=<s> all\n  if no keystore:\n    remove-from <s> value=<all keys>");
  EXPECT_EQ(statement("remove all keys from s as n"), "remove-keys in=<s> all as=<n>");
  EXPECT_EQ(statement("remove keys starting with p from s as n"), "remove-keys in=<s> prefix=<p> as=<n>");
  EXPECT_EQ(statement("remove all keys left from s"), "remove-from <s> value=<all keys left>");
}

TEST(KeystoreCounters, Forms) {
  EXPECT_EQ(statement(R"(increase key "c" in s by 1)"), R"(increase in=<s> key="c" by=1)");
  EXPECT_EQ(statement("decrease key page id in s by step plus 1 as left over"),
            "decrease in=<s> key=<page id> by=(plus <step> 1) as=<left over>");
  EXPECT_EQ(statement("keep key k in s for 10 seconds as ok"), "keep in=<s> key=<k> for=10 seconds as=<ok>");
  EXPECT_EQ(statement(R"(keep key "a" with b in s forever)"), R"(keep in=<s> key=(concat "a" <b>) forever)");
}

TEST(KeystoreScan, Forms) {
  EXPECT_EQ(statement(R"(scan store for keys starting with "u:" as r)"), R"(scan in=<store> prefix="u:" as=<r>)");
  EXPECT_EQ(statement(R"(scan cache for keys starting with p limit 5 as r)"),
            "scan in=<cache> prefix=<p> limit=5 as=<r>");
  EXPECT_EQ(statement("scan cache for keys starting with prefix limit page size as r"),
            "scan in=<cache> prefix=<prefix> limit=<page size> as=<r>");
  EXPECT_EQ(statement("scan cache for keys starting with (rate limit key) as r"),
            "scan in=<cache> prefix=<rate limit key> as=<r>");
  EXPECT_EQ(statement(R"(scan cache for keys from "a" to "b" reversed limit n as r)"),
            R"(scan in=<cache> from="a" to="b" reversed limit=<n> as=<r>)");
  EXPECT_EQ(statement(R"(scan cache for keys from "a" as r)"), R"(scan in=<cache> from="a" as=<r>)");
  EXPECT_EQ(statement("scan cache for all keys as r"), "scan in=<cache> all as=<r>");
  EXPECT_EQ(statement("scan cache for all keys limit page size as r"), "scan in=<cache> all limit=<page size> as=<r>");
  EXPECT_EQ(statement("scan cache for all keys reversed limit 2 as r"), "scan in=<cache> all reversed limit=2 as=<r>");
  EXPECT_EQ(statement("scan caches[1] for all keys as r"), "scan in=(index <caches> 1) all as=<r>");
  EXPECT_EQ(parsed("scan items for each x in xs:\nend for"), "expression <scan items>\nfor-each <x> in=<xs>\n");
}

TEST(KeystoreScan, ListAndCount) {
  EXPECT_EQ(statement("list keys in store as ks"), "list-keys in=<store> all as=<ks>");
  EXPECT_EQ(statement("list keys in cache starting with p reversed limit 3 as ks"),
            "list-keys in=<cache> prefix=<p> reversed limit=3 as=<ks>");
  EXPECT_EQ(statement("list keys in cache limit 5 as ks"), "list-keys in=<cache> all limit=5 as=<ks>");
  EXPECT_EQ(statement("list keys in cache limit page size as ks"),
            "list-keys in=<cache> all limit=<page size> as=<ks>");
  EXPECT_EQ(statement("list keys in store starting with p as ks"), "list-keys in=<store> prefix=<p> as=<ks>");
  EXPECT_EQ(statement("list keys in cache from a to b as ks"), "list-keys in=<cache> from=<a> to=<b> as=<ks>");
  EXPECT_EQ(statement("count keys in cache as n"), "count-keys in=<cache> all as=<n>");
  EXPECT_EQ(statement("count keys in cache starting with p as n"), "count-keys in=<cache> prefix=<p> as=<n>");
  EXPECT_EQ(parsed("count from 1 to 3:\nend count"), "count from=1 to=3\n");
}

TEST(KeystoreForEach, Ranges) {
  EXPECT_EQ(parsed("for each e in s starting with p:\nend for"), "for-each <e> in=<s> keys: prefix=<p>\n");
  EXPECT_EQ(parsed("for each e in store starting with p\nend for"), "for-each <e> in=<store> keys: prefix=<p>\n");
  EXPECT_EQ(parsed("for each e in reversed s from \"a\" to \"b\":\n  break\nend for"),
            "for-each <e> in=<s> reversed keys: from=\"a\" to=\"b\" reversed\n  break\n");
  EXPECT_EQ(parsed("for each e in store:\nend for"), "for-each <e> in=<store>\n");
  EXPECT_EQ(parsed("for each e in slice of xs from 1 and 2:\nend for"), "for-each <e> in=(of <slice> <xs> 1 2)\n");
}

TEST(KeystoreBatch, WordsForTheKeystoreMayBeLeftOut) {
  EXPECT_EQ(parsed("batch operations on s:\n"
                   "  store 1 with key \"a\"\n"
                   "  store b with key k1\n"
                   "  store 2 in t with key \"a\"\n"
                   "  remove key \"b\"\n"
                   "  remove key k1\n"
                   "  increase key \"n\" by 1\n"
                   "  keep key \"a\" for 2 days\n"
                   "  check if x:\n"
                   "    store 3 with key \"c\"\n"
                   "  end check\n"
                   "end batch"),
            "batch on=<s>\n"
            "  put value=1 in-batch key=\"a\"\n"
            "  put value=<b> in-batch key=<k1>\n"
            "  put value=2 in=<t> key=\"a\"\n"
            "  remove-key in-batch key=\"b\"\n"
            "  remove-key in-batch key=<k1>\n"
            "  increase in-batch key=\"n\" by=1\n"
            "  keep in-batch key=\"a\" for=2 days\n"
            "  if <x>\n"
            "    put value=3 in-batch key=\"c\"\n");
  EXPECT_EQ(parsed("batch operations on store\n  store x as 1\nend batch"), "batch on=<store>\n  store <x> value=1\n");
}

TEST(KeystoreBatch, OnlyInItsOwnText) {
  EXPECT_EQ(error_lines("store 1 with key \"a\""), "1:1 This `store` doesn't say in which keystore\n");
  EXPECT_EQ(error_lines("remove key \"a\""),
            "1:15 I expected `from` and a keystore after the key, but found the end of the program\n");
  EXPECT_EQ(
      error_lines(
          "batch operations on s:\n  define action called f:\n    store 1 with key \"a\"\n  end action\nend batch"),
      "3:5 This `store` doesn't say in which keystore\n");
  EXPECT_EQ(error_lines("display 1\nend batch"), "2:1 This `end batch` closes nothing\n");
}

TEST(KeystoreCare, Forms) {
  EXPECT_EQ(statement("compact cache"),
            "compact <cache>\n  if visible <compact cache>:\n    expression <compact cache>");
  EXPECT_EQ(statement("compact store"), "compact <store>");
  EXPECT_EQ(statement(R"(compact cache with strategy "full" as r)"), R"(compact <cache> strategy="full" as=<r>)");
  EXPECT_EQ(statement("compact cache with strategy mode"), "compact <cache> strategy=<mode>");
  EXPECT_EQ(statement("compact store as r"), "compact <store> as=<r>");
  EXPECT_EQ(statement("compact cache plus 1"), "expression (plus <compact cache> 1)");
  EXPECT_EQ(statement("flush cache"), "flush <cache>\n  if visible <flush cache>:\n    expression <flush cache>");
  EXPECT_EQ(statement("flush store"), "flush <store>");
  EXPECT_EQ(statement(R"(back up cache to dir with "/x.kvb")"), R"(back-up <cache> to=(concat <dir> "/x.kvb"))");
  EXPECT_EQ(statement(R"(back up store to "x")"), R"(back-up <store> to="x")");
  EXPECT_EQ(statement("verify cache as r"), "verify <cache> as=<r>");
  EXPECT_EQ(statement("verify store as r"), "verify <store> as=<r>");
  EXPECT_EQ(statement("take snapshot of s as store"), "snapshot <s> as=<store>");
  EXPECT_EQ(statement("change encryption key of s to secret"), "change-encryption-key <s> to=<secret>");
  EXPECT_EQ(statement("change encryption key to 5"), "change <encryption key> value=5");
}

TEST(KeystoreElsewhere, WaitForMayPrecede) {
  EXPECT_EQ(statement(R"(wait for store 1 in s with key "k")"), "wait-for\n  put value=1 in=<s> key=\"k\"");
  EXPECT_EQ(statement(R"(wait for get value from s with key "k" as x)"), "wait-for\n  get in=<s> key=\"k\" as=<x>");
  EXPECT_EQ(statement("wait for compact store"), "wait-for\n  compact <store>");
  EXPECT_EQ(statement("wait for scan store for all keys as x"), "wait-for\n  scan in=<store> all as=<x>");
}

// A trial that cuts a merged name moves all tokens; what is looked at after it must be read anew.
TEST(KeystoreElsewhere, FailedTrialsLeaveNoTrace) {
  EXPECT_EQ(error_lines("compact  dHello, I am \"x\"\n"),
            "1:16 I expected a value, such as a name, a number or a text, but found `,`\n");
  EXPECT_EQ(statement("compact  old cache plus 1"), "expression (plus <compact old cache> 1)");
  EXPECT_EQ(statement("scan  old cache"), "expression <scan old cache>");
}

TEST(KeystoreElsewhere, Handlers) {
  EXPECT_EQ(parsed("try:\nwhen keystore not found:\nwhen keystore already exists as e:\nwhen keystore busy:\n"
                   "when wrong encryption key:\nwhen keystore damaged:\nwhen keystore full:\nend try"),
            "try\nwhen keystore-not-found:\nwhen keystore-already-exists as=<e>:\nwhen keystore-busy:\n"
            "when wrong-encryption-key:\nwhen keystore-damaged:\nwhen keystore-full:\n");
}

TEST(KeystoreElsewhere, StoreIsAVariableWhereAnOperandMustStart) {
  EXPECT_EQ(value("length of store"), "(of <length> <store>)");
  EXPECT_EQ(statement("return store"), "return value=<store>");
  EXPECT_EQ(value(R"(store["k"])"), R"((index <store> "k"))");
  EXPECT_FALSE(parse_text("store store as 1").ok());
  EXPECT_FALSE(parse_text("change store to 1").ok());
  EXPECT_FALSE(parse_text("create list as store").ok());
  EXPECT_FALSE(parse_text("for each store in xs:\nend for").ok());
}

}  // namespace
}  // namespace wfl::syntax
