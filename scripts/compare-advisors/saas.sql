-- Software for many tenants, of which a few are large: about 2.7 million rows, 500 MB. Primary keys only.
SET client_min_messages = warning;
SET synchronous_commit = off;
SELECT setseed(0.42);
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE tenants (id int PRIMARY KEY, name text NOT NULL, plan text NOT NULL);
CREATE TABLE members (id bigint PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, email text NOT NULL, name text NOT NULL, role text NOT NULL,
    last_seen timestamptz, invited_by bigint REFERENCES members, deleted_at timestamptz);
CREATE TABLE projects (id bigint PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, title text NOT NULL, archived boolean NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE tasks (id bigint PRIMARY KEY, tenant_id int NOT NULL, project_id bigint NOT NULL REFERENCES projects, assignee_id bigint REFERENCES members, status text NOT NULL,
    priority int NOT NULL, title text NOT NULL, due date, tags text[] NOT NULL, custom jsonb NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE comments (id bigint PRIMARY KEY, task_id bigint NOT NULL REFERENCES tasks, author_id bigint NOT NULL REFERENCES members, body text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE audit (at timestamptz NOT NULL, tenant_id int NOT NULL, actor_id bigint, action text NOT NULL, object text NOT NULL);
CREATE TABLE outbox (id bigint PRIMARY KEY, kind text NOT NULL, status text NOT NULL, payload text NOT NULL, created_at timestamptz NOT NULL, sent_at timestamptz);
CREATE TABLE settings (tenant_id int NOT NULL, name text NOT NULL, value text NOT NULL, PRIMARY KEY (tenant_id, name));
INSERT INTO tenants SELECT n, 'tenant ' || n, (ARRAY['free', 'free', 'free', 'team', 'large'])[1 + n % 5] FROM generate_series(1, 2000) n;
INSERT INTO members SELECT n, 1 + (random() ^ 3 * 1999)::int, 'member' || n || '@Example.org', 'Name ' || (n::bigint * 7919 % 100000), CASE WHEN n % 50 = 0 THEN 'owner' ELSE 'member' END,
    CASE WHEN n % 4 > 0 THEN timestamptz '2025-01-01' + n * interval '1 minute' END, NULL, CASE WHEN n % 30 = 0 THEN timestamptz '2025-02-01' END FROM generate_series(1, 100000) n;
INSERT INTO projects SELECT n, 1 + (random() ^ 3 * 1999)::int, 'Project ' || n, n % 3 = 0, timestamptz '2024-01-01' + n * interval '10 minutes' FROM generate_series(1, 40000) n;
INSERT INTO tasks SELECT n, p.tenant_id, p.id, CASE WHEN n % 5 > 0 THEN 1 + n::bigint * 7919 % 100000 END, CASE WHEN n % 40 = 0 THEN 'open' WHEN n % 97 = 0 THEN 'blocked' ELSE 'done' END,
    n % 5, 'Task ' || md5(n::text), CASE WHEN n % 3 = 0 THEN date '2025-01-01' + n % 400 END, ARRAY['tag' || n % 900, 'team' || n % 20],
    jsonb_build_object('ticket', 'T' || n, 'points', n % 13), timestamptz '2024-01-01' + n * interval '30 seconds', timestamptz '2024-06-01' + n * interval '30 seconds'
  FROM generate_series(1, 600000) n JOIN projects p ON p.id = 1 + n::bigint * 104729 % 40000;
INSERT INTO comments SELECT n, 1 + (random() ^ 2 * 599999)::int, 1 + n % 100000, 'about word' || n % 3000 || ' and thing' || n % 41, timestamptz '2024-01-01' + n * interval '20 seconds' FROM generate_series(1, 900000) n;
INSERT INTO audit SELECT timestamptz '2024-01-01' + n * interval '20 seconds', 1 + (random() ^ 3 * 1999)::int, n % 100000, (ARRAY['login', 'view', 'edit', 'delete'])[1 + n % 4], 'task/' || n % 600000 FROM generate_series(1, 900000) n;
INSERT INTO outbox SELECT n, 'mail', CASE WHEN n % 2000 = 0 THEN 'pending' ELSE 'sent' END, repeat('p', 100), timestamptz '2025-01-01' + n * interval '5 seconds', CASE WHEN n % 2000 > 0 THEN timestamptz '2025-01-01' + n * interval '6 seconds' END FROM generate_series(1, 200000) n;
INSERT INTO settings SELECT t, 's' || s, 'v' FROM generate_series(1, 2000) t, generate_series(1, 5) s;
VACUUM ANALYZE;
