# The formula of a release. packaging/homebrew/fill writes the version, the repository and the checksums.
class Pgassay < Formula
  desc "Reads PostgreSQL migrations before they run"
  homepage "https://github.com/@REPOSITORY@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "https://github.com/@REPOSITORY@/releases/download/v@VERSION@/pgassay-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA_aarch64-apple-darwin@"
    end
    on_intel do
      url "https://github.com/@REPOSITORY@/releases/download/v@VERSION@/pgassay-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA_x86_64-apple-darwin@"
    end
  end
  on_linux do
    on_arm do
      url "https://github.com/@REPOSITORY@/releases/download/v@VERSION@/pgassay-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@SHA_aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "https://github.com/@REPOSITORY@/releases/download/v@VERSION@/pgassay-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@SHA_x86_64-unknown-linux-musl@"
    end
  end

  def install
    bin.install "pgassay"
    generate_completions_from_executable(bin/"pgassay", "completions")
  end

  test do
    (testpath/"migrations/0001_t.sql").write "CREATE TABLE t (id bigint PRIMARY KEY);"
    system bin/"pgassay", "check", "migrations"
  end
end
