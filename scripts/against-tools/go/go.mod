module pgassay.dev/against-tools

go 1.25

require (
	github.com/golang-migrate/migrate/v4 v4.19.0
	github.com/lib/pq v1.10.9
	github.com/pressly/goose/v3 v3.26.0
	github.com/rubenv/sql-migrate v1.8.0
)
