// Package clientpb is the generated form of client.proto. The server's own
// codec in package protocol is written by hand; this package is the other
// opinion its tests compare it with, and what Protobuf test clients speak.
package clientpb

//go:generate go build -o ./protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go
//go:generate protoc --plugin=./protoc-gen-go --go_out=. --go_opt=paths=source_relative client.proto
//go:generate rm ./protoc-gen-go
