#include "steps.h"

namespace bench {

const std::vector<Step>& all_steps() {
  static const std::vector<Step> steps = {
      {.name = "load_ordered", .run = load_ordered, .writes = true},
      {.name = "put_relaxed", .run = put_relaxed, .writes = true},
      {.name = "load_random", .place = Place::loaded, .run = load_random, .makes_place = true, .writes = true},
      // Nothing of these changes the store.
      {.name = "open_clean", .place = Place::loaded, .run = open_clean},
      {.name = "get_uniform", .place = Place::loaded, .run = get_uniform},
      {.name = "get_zipfian", .place = Place::loaded, .run = get_zipfian},
      {.name = "get_miss", .place = Place::loaded, .run = get_miss},
      {.name = "get_two_threads", .place = Place::loaded, .run = get_two_threads},
      {.name = "get_many", .place = Place::loaded, .run = get_many},
      {.name = "scan_prefix", .place = Place::loaded, .run = scan_prefix, .needs_order = true},
      {.name = "iterate", .place = Place::loaded, .run = iterate, .needs_order = true},
      // Work on a copy of it.
      {.name = "compact", .place = Place::compacted, .run = compact, .makes_place = true, .writes = true},
      {.name = "scan_prefix_compacted", .place = Place::compacted, .run = scan_prefix, .needs_order = true},
      {.name = "iterate_compacted", .place = Place::compacted, .run = iterate, .needs_order = true},
      // These overwrite values.
      {.name = "ycsb_c", .place = Place::loaded, .run = ycsb_c},
      {.name = "ycsb_b", .place = Place::loaded, .run = ycsb_b, .writes = true},
      {.name = "ycsb_a", .place = Place::loaded, .run = ycsb_a, .writes = true},
      {.name = "ycsb_f", .place = Place::loaded, .run = ycsb_f, .writes = true},
      {.name = "put_durable", .place = Place::loaded, .run = put_durable, .durable = true, .bare = true},
      {.name = "read_beside_writer", .place = Place::loaded, .run = read_beside_writer, .writes = true},
      {.name = "read_in_other_process",
       .place = Place::loaded,
       .run = read_in_other_process,
       .writes = true,
       .needs_processes = true},
      {.name = "put_latency", .place = Place::loaded, .run = put_latency, .writes = true},
      {.name = "remove", .run = remove_most, .writes = true},
      {.name = "churn", .run = churn, .writes = true},
      {.name = "large_values", .run = large_values, .large = true, .writes = true},
      {.name = "open_after_kill", .run = open_after_kill, .durable = true, .writes = true},
      {.name = "open_after_kill_relaxed", .run = open_after_kill_relaxed, .writes = true},
      // The same with ten times the keys.
      {.name = "load_grown",
       .place = Place::grown,
       .run = load_random,
       .makes_place = true,
       .writes = true,
       .once = true},
      {.name = "open_clean_grown", .place = Place::grown, .run = open_clean},
      {.name = "get_uniform_grown", .place = Place::grown, .run = get_uniform},
      {.name = "put_durable_grown", .place = Place::grown, .run = put_durable, .durable = true},
  };
  return steps;
}

}  // namespace bench
