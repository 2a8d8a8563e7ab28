package rtp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ef marks voice on the network (expedited forwarding, RFC 3246).
const ef = 0xb8

// address is a socket address as the kernel writes it, comparable with ==.
type address struct {
	b [28]byte
	n uint32
}

func addressOf(a netip.AddrPort, v6 bool) address {
	var r address
	if !v6 {
		ip := a.Addr().Unmap().As4()
		*(*uint16)(unsafe.Pointer(&r.b)) = unix.AF_INET
		binary.BigEndian.PutUint16(r.b[2:], a.Port())
		copy(r.b[4:], ip[:])
		r.n = 16
		return r
	}
	ip := a.Addr().As16()
	*(*uint16)(unsafe.Pointer(&r.b)) = unix.AF_INET6
	binary.BigEndian.PutUint16(r.b[2:], a.Port())
	copy(r.b[8:], ip[:])
	r.n = 28
	return r
}

// port and host read the address back.
func (a *address) port() uint16 { return binary.BigEndian.Uint16(a.b[2:]) }

func (a *address) host() netip.Addr {
	switch a.n {
	case 16:
		return netip.AddrFrom4([4]byte(a.b[4:8]))
	case 28:
		return netip.AddrFrom16([16]byte(a.b[8:24])).Unmap()
	}
	return netip.Addr{}
}

// socket is a UDP socket outside the runtime's poller: the shards look after it.
type socket struct {
	fd int
	v6 bool
}

func openSocket(ip netip.Addr, port int) (*socket, error) {
	family, v6 := unix.AF_INET, ip.Is6() && !ip.Is4In6()
	if v6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("rtp: socket: %w", err)
	}
	s := &socket{fd, v6}
	if v6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, ef)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, ef) // a wish: sound goes without it too
	a := addressOf(netip.AddrPortFrom(ip, uint16(port)), v6)
	if _, _, e := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a.b)), uintptr(a.n)); e != 0 {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("rtp: bind %d: %w", port, e)
	}
	return s, nil
}

// recv reads one datagram; n < 0 means none is there. A raw call: it never
// blocks, so the scheduler need not hear of it.
func (s *socket) recv(b []byte, from *address) int {
	from.n = uint32(len(from.b))
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&from.b)), uintptr(unsafe.Pointer(&from.n)))
	if e != 0 {
		return -1
	}
	return int(n)
}

// Receive reads one datagram of any socket without waiting; n < 0 means that
// none is there.
func Receive(fd uintptr, b []byte) (n int, from netip.AddrPort) {
	var a address
	s := socket{fd: int(fd)}
	if n = s.recv(b, &a); n < 0 {
		return n, from
	}
	host := a.host()
	if a.n == 28 {
		if zone := *(*uint32)(unsafe.Pointer(&a.b[24])); zone != 0 {
			host = host.WithZone(strconv.FormatUint(uint64(zone), 10))
		}
	}
	return n, netip.AddrPortFrom(host, a.port())
}

// send is best effort, as UDP is: a full buffer is a lost packet.
func (s *socket) send(b []byte, to *address) {
	_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.b)), uintptr(to.n))
}

func (s *socket) close() { _ = unix.Close(s.fd) }

// poller tells which sockets of a shard have something, in one call a tick.
type poller struct {
	fd     int
	events [256]unix.EpollEvent
}

func openPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("rtp: epoll: %w", err)
	}
	return &poller{fd: fd}, nil
}

func (p *poller) add(s *socket) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.fd)})
}

func (p *poller) remove(s *socket) { _ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, s.fd, nil) }

// ready lists the sockets with something to read.
func (p *poller) ready() []unix.EpollEvent {
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	if e != 0 {
		return nil
	}
	return p.events[:n]
}

// nap sleeps without the scheduler's knowledge; a signal ends it early.
func nap(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}

func (p *poller) close() { _ = unix.Close(p.fd) }
