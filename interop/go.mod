module github.com/awgproxy/awgproxy/interop

go 1.25.0

require (
	github.com/amnezia-vpn/amneziawg-go v0.2.16
	github.com/things-go/go-socks5 v0.0.5
	golang.org/x/net v0.41.0
	golang.org/x/sys v0.33.0
	golang.zx2c4.com/wireguard v0.0.0-20231211153847-12269c276173
	gvisor.dev/gvisor v0.0.0-20231202080848-1f7806d17489
)

require (
	github.com/google/btree v1.1.3 // indirect
	golang.org/x/crypto v0.39.0 // indirect
	golang.org/x/time v0.9.0 // indirect
	golang.zx2c4.com/wintun v0.0.0-20230126152724-0fa3db229ce2 // indirect
)
