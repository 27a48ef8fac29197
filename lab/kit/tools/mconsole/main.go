// mconsole SOCKET COMMAND... sends one command to the management console of a User-Mode-Linux kernel and prints the response.
//
// Debian's uml_mconsole receives the response on an abstract socket, which a kernel in another network namespace cannot
// reach, so it hangs. This program uses a socket file, and gives up after 20 seconds.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	magic    = 0xcafebabe
	version  = 2
	textMax  = 512
	patience = 20 * time.Second
)

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: mconsole SOCKET COMMAND..."))
	}
	answer, refused, err := ask(os.Args[1], strings.Join(os.Args[2:], " "))
	if err != nil {
		fail(err)
	}
	fmt.Println(answer)
	if refused {
		os.Exit(1)
	}
}

func ask(socket, command string) (answer string, refused bool, err error) {
	own := filepath.Join(filepath.Dir(socket), fmt.Sprintf("answer-%d", os.Getpid()))
	defer os.Remove(own)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: own, Net: "unixgram"})
	if err != nil {
		return "", false, err
	}
	defer conn.Close()
	if _, err = conn.WriteTo(request(command), &net.UnixAddr{Name: socket, Net: "unixgram"}); err != nil {
		return "", false, err
	}
	return read(conn)
}

// request returns the memory layout of the kernel's mconsole_request: magic, version, length, then 512 bytes of text.
func request(command string) []byte {
	var packet bytes.Buffer
	for _, word := range []uint32{magic, version, uint32(len(command))} {
		_ = binary.Write(&packet, binary.NativeEndian, word)
	}
	text := make([]byte, textMax)
	copy(text, command)
	packet.Write(text)
	return packet.Bytes()
}

// read collects the replies of one command: each is error, more, length, text; the last one has more == 0.
func read(conn *net.UnixConn) (answer string, refused bool, err error) {
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	packet := make([]byte, 12+textMax)
	for {
		n, err := conn.Read(packet)
		if err != nil {
			return answer, true, err
		}
		refused = refused || binary.NativeEndian.Uint32(packet[0:4]) != 0
		text, _, _ := bytes.Cut(packet[12:n], []byte{0})
		answer += string(text)
		if binary.NativeEndian.Uint32(packet[4:8]) == 0 {
			return answer, refused, nil
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "mconsole:", err)
	os.Exit(1)
}
