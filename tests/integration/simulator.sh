#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The daemon can run under a network and clock simulator that stands in for libc's calls: everything
# of its one thread that waits, tells time or uses a socket is a call that such a simulator has. Held
# against that are the functions that the binary links, and the system calls of a run.
. "$(dirname "$0")/lib.sh"

# All of libc that waits, tells or sets time, uses sockets, or makes threads and processes ...
families='^(poll|ppoll|__poll_chk|__ppoll_chk|select|pselect|epoll_.*|signalfd|eventfd.*|pipe2?|inotify_.*|timerfd_.*|timer_.*|setitimer|getitimer|alarm|sleep|usleep|nanosleep|clock_.*|gettimeofday|settimeofday|adjtime.*|ntp_.*time|time|times|ftime|timespec_get|pause|sigwait.*|sigsuspend|sigtimedwait|socket|socketpair|connect|bind|listen|accept4?|shutdown|send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg|setsockopt|getsockopt|getsockname|getpeername|getaddrinfo|gethostby.*|fork|vfork|clone|posix_spawn.*|system|popen|pthread_(create|cond|timed|rwlock|barrier).*|sem_.*|mq_.*|io_.*|aio_.*)$'
# ... and what of it is used: in the loop, all of which a simulator has
loop=(poll timerfd_create timerfd_settime clock_gettime clock_getres socket connect bind
	setsockopt getsockopt getsockname send sendto sendmsg recv recvmsg)
# before the loop: going to the background
start=(fork pipe2)
# off by the configuration: control socket; names, state and audit log, comparing CPUs (threads);
# the rate of a NIC's clock
off=(accept4 listen shutdown getaddrinfo pthread_create nanosleep sem_init sem_post sem_wait sem_destroy
	sem_timedwait clock_adjtime)
used=$(nm -D --undefined-only "$chronotickd" | awk '{ print $2 }' | sed 's/@.*//' |
	grep -Ex "${families#^}" ; true)
[ -n "$used" ] || fail "nm shows none of the functions that there must be"
for name in $used; do
	case " ${loop[*]} ${start[*]} ${off[*]} " in
	*" $name "*) ;;
	*) fail "the daemon links $name" ;;
	esac
done
echo "linked:" $used

if ! strace -f -o "$work/probe" true 2>/dev/null; then
	[ "$failures" -eq 0 ] || finish
	echo "SKIP: strace is missing, or not allowed to trace here; the linked functions are good"
	exit 77
fi
servers 1
config_simulated "" 10.77.0.11
"${reference_client[@]}" strace -f -qq -o "$work/trace" "$chronotickd" \
	--config "$work/chronotick.yaml" --foreground >"$work/daemon.log" 2>&1 </dev/null &
tracer=$!
daemons+=("$tracer")
trusted || fail "no trusted time under strace"
sleep 2
kill -TERM "$(cat "$CHRONOTICK_PAGE.lock")" || fail "no daemon to end"
wait "$tracer" || fail "chronotickd ended with $? on SIGTERM"

# No second thread or process in all of the run; in the loop, these calls alone
grep -E '^[0-9]+ +(clone|clone3|fork|vfork)\(' "$work/trace" && fail "a thread or process was made"
sed -n '/ poll(/,$p' "$work/trace" | sed -E 's/^[0-9]+ +//' | grep -oE '^[a-z_0-9]+\(' |
	sort | uniq -c | sort -rn >"$work/calls"
sed 's/^/    /' "$work/calls"
allowed='poll|timerfd_settime|clock_gettime|clock_getres|socket|bind|connect|setsockopt|getsockopt|getsockname|sendto|sendmsg|recvmsg|recvfrom|getrandom|fcntl|close|write|futex|utimensat|newfstatat|fstat|unlink|unlinkat|ftruncate|getpid|mmap|munmap|brk|rt_sigreturn|exit_group'
unexpected=$(grep -vE " ($allowed)\($" "$work/calls")
[ -z "$unexpected" ] || fail "in the loop: $unexpected"
# What is waited for is sockets and the timer; no socket but of the network, and netlink once
grep -E 'socket\((AF_UNIX|AF_LOCAL)' "$work/trace" | grep -v nscd && fail "an AF_UNIX socket"
grep -E 'SOCK_(CLOEXEC|NONBLOCK)' "$work/trace" | grep -v AF_NETLINK | grep -v AF_UNIX &&
	fail "socket flags that a simulator does not know"
grep -E 'timerfd_create\(' "$work/trace" | grep -v 'CLOCK_MONOTONIC, TFD_NONBLOCK)' &&
	fail "another timer than a simulator has"
finish
