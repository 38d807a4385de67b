// Package httpjson is the JSON of our HTTP APIs: it reads a request's body
// under a limit, decodes it strictly, and writes answers. What it refuses is a
// *chat.Error that names the field, for the dialect to put into its own shape.
package httpjson
