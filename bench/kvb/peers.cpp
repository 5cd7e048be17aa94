#include "peer.h"

namespace bench {

std::vector<PeerEntry> all_peers() {
  return {
      {"kvb", make_kvb},
#ifdef BENCH_LMDB
      {"lmdb", make_lmdb},
#endif
#ifdef BENCH_ROCKSDB
      {"rocksdb", make_rocksdb},
#endif
#ifdef BENCH_LEVELDB
      {"leveldb", make_leveldb},
#endif
#ifdef BENCH_SQLITE
      {"sqlite", make_sqlite},
#endif
#ifdef BENCH_TKRZW
      {"tkrzw-hash", make_tkrzw_hash},
      {"tkrzw-tree", make_tkrzw_tree},
#endif
  };
}

std::vector<std::string> absent_peers() {
  return {
#ifndef BENCH_LMDB
      "lmdb (liblmdb-dev)",
#endif
#ifndef BENCH_ROCKSDB
      "rocksdb (librocksdb-dev)",
#endif
#ifndef BENCH_LEVELDB
      "leveldb (libleveldb-dev)",
#endif
#ifndef BENCH_SQLITE
      "sqlite (libsqlite3-dev)",
#endif
#ifndef BENCH_TKRZW
      "tkrzw-hash, tkrzw-tree (libtkrzw-dev)",
#endif
  };
}

}  // namespace bench
