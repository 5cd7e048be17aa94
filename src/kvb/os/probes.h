#pragma once
// Static probes (USDT) of provider `kvb`, for bpftrace, perf and SystemTap: a nop each, and a note in the program that
// says where it is. Built without <sys/sdt.h> (Debian: systemtap-sdt-dev) there are none. docs/production.md lists them
// with their arguments.

#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define KVB_PROBE0(name) DTRACE_PROBE(kvb, name)
#define KVB_PROBE1(name, a) DTRACE_PROBE1(kvb, name, a)
#define KVB_PROBE2(name, a, b) DTRACE_PROBE2(kvb, name, a, b)
#define KVB_PROBE3(name, a, b, c) DTRACE_PROBE3(kvb, name, a, b, c)
#else
#define KVB_PROBE0(name) static_cast<void>(0)
#define KVB_PROBE1(name, a) static_cast<void>(a)
#define KVB_PROBE2(name, a, b) (static_cast<void>(a), static_cast<void>(b))
#define KVB_PROBE3(name, a, b, c) (static_cast<void>(a), static_cast<void>(b), static_cast<void>(c))
#endif
