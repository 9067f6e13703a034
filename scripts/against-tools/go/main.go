// Runs the libraries of Go's migration tools over a folder: goose, sql-migrate, golang-migrate.
package main

import (
	"database/sql"
	"fmt"
	"os"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database/postgres"
	_ "github.com/golang-migrate/migrate/v4/source/file"
	_ "github.com/lib/pq"
	"github.com/pressly/goose/v3"
	sqlmigrate "github.com/rubenv/sql-migrate"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(tool, folder string) error {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer db.Close()
	switch tool {
	case "goose":
		if err := goose.SetDialect("postgres"); err != nil {
			return err
		}
		return goose.Up(db, folder)
	case "sql-migrate":
		_, err := sqlmigrate.Exec(db, "postgres", &sqlmigrate.FileMigrationSource{Dir: folder}, sqlmigrate.Up)
		return err
	case "golang-migrate":
		driver, err := postgres.WithInstance(db, &postgres.Config{})
		if err != nil {
			return err
		}
		migrations, err := migrate.NewWithDatabaseInstance("file://"+folder, "postgres", driver)
		if err != nil {
			return err
		}
		return migrations.Up()
	}
	return fmt.Errorf("%s is none of goose, sql-migrate, golang-migrate", tool)
}
