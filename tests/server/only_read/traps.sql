-- A database in which every name that is not looked up in pg_catalog leads to a function that says so in the server's log.
CREATE FUNCTION public.canary(what text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN RAISE LOG 'canary: % as %', what, current_user; RETURN what; END $$;

-- Each function and operator of pg_catalog that has types to declare gets a namesake, of the same arguments.
DO $do$
DECLARE it record; made int := 0;
BEGIN
  FOR it IN
    SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, format_type(p.prorettype, NULL) AS returned, p.proretset
      FROM pg_proc p
     WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0 AND p.proargmodes IS NULL
       AND NOT EXISTS (SELECT FROM unnest(p.proargtypes::oid[] || p.prorettype) t JOIN pg_type y ON y.oid = t WHERE y.typtype = 'p')
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s %s IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.canary(%L); %s END $$',
        it.proname, it.arguments, CASE WHEN it.proretset THEN 'SETOF' ELSE '' END, it.returned, it.proname,
        CASE WHEN it.proretset THEN 'RETURN;' ELSE 'RETURN NULL;' END);
      made := made + 1;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR it IN
    SELECT o.oprname, format_type(o.oprleft, NULL) AS l, format_type(o.oprright, NULL) AS r, format_type(o.oprresult, NULL) AS returned, o.oid
      FROM pg_operator o
     WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprkind = 'b'
       AND NOT EXISTS (SELECT FROM unnest(ARRAY[o.oprleft, o.oprright, o.oprresult]) t JOIN pg_type y ON y.oid = t WHERE y.typtype = 'p')
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION public.operator_%s(%s, %s) RETURNS %s IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.canary(%L); RETURN NULL; END $$',
        it.oid, it.l, it.r, it.returned, it.oprname);
      EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.operator_%s)', it.oprname, it.l, it.r, it.oid);
      made := made + 1;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR it IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') LOOP
    BEGIN
      EXECUTE format('CREATE VIEW public.%I AS SELECT q.*, public.canary(%L) AS canary FROM pg_catalog.%I q', it.relname, it.relname, it.relname);
      made := made + 1;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  IF made < 1500 THEN RAISE EXCEPTION 'only % traps were made', made; END IF;
END $do$;

-- Frameworks' tables that are none, or whose columns or policies call.
CREATE VIEW public.schema_migrations AS SELECT public.canary('view') AS version;
CREATE TYPE public.jt AS (a int);
CREATE FUNCTION public.jt2json(public.jt) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM public.canary('cast to json'); RETURN '{}'; END $$;
CREATE FUNCTION public.jt2text(public.jt) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.canary('cast to text'); RETURN '1'; END $$;
CREATE CAST (public.jt AS json) WITH FUNCTION public.jt2json(public.jt) AS IMPLICIT;
CREATE CAST (public.jt AS text) WITH FUNCTION public.jt2text(public.jt) AS IMPLICIT;
CREATE TABLE public._sqlx_migrations (version bigint, x public.jt);
INSERT INTO public._sqlx_migrations VALUES (1, ROW(1));
CREATE TABLE public.goose_db_version (version_id public.jt);
INSERT INTO public.goose_db_version VALUES (ROW(1));
CREATE TABLE public.pgmigrations (name text);
INSERT INTO public.pgmigrations VALUES ('1_a');
ALTER TABLE public.pgmigrations ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON public.pgmigrations USING (public.canary('policy') IS NOT NULL);

-- What a sample looks at: a state, documents and a reference, each with a cast or a policy.
CREATE TYPE public.state AS ENUM ('open', 'done', 'gone');
CREATE FUNCTION public.state2text(public.state) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.canary('cast of an enum'); RETURN 'x'; END $$;
CREATE CAST (public.state AS text) WITH FUNCTION public.state2text(public.state) AS ASSIGNMENT;
CREATE FUNCTION public.priced(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.canary('immutable'); RETURN $1; END $$;
CREATE DOMAIN public.positive AS int CHECK (public.priced(VALUE) OPERATOR(pg_catalog.>) 0);
CREATE TABLE public.customers (id bigint PRIMARY KEY);
CREATE TABLE public.orders (
    id bigint PRIMARY KEY, customer_id bigint, status public.state, note text, at timestamptz, data jsonb, amount public.positive,
    twice int GENERATED ALWAYS AS (public.priced(7)) STORED, DEFAULT_price int DEFAULT public.priced(3), CHECK (public.priced(5) OPERATOR(pg_catalog.>) 0));
CREATE INDEX priced ON public.orders (public.priced(amount)) WHERE public.priced(1) OPERATOR(pg_catalog.>) 0;
CREATE STATISTICS public.of_prices ON public.priced(amount), id FROM public.orders;
INSERT INTO public.customers SELECT pg_catalog.generate_series(1, 2000);
INSERT INTO public.orders (id, customer_id, status, note, at, data, amount)
SELECT n, n OPERATOR(pg_catalog.%) 2500, CASE WHEN n OPERATOR(pg_catalog.%) 3 OPERATOR(pg_catalog.=) 0 THEN 'done'::public.state ELSE 'open' END,
       CASE WHEN n OPERATOR(pg_catalog.%) 3 OPERATOR(pg_catalog.=) 0 THEN 'x' END,
       CASE WHEN n OPERATOR(pg_catalog.%) 3 OPERATOR(pg_catalog.=) 0 THEN pg_catalog.now() END, '{"a": 1}', 1
  FROM pg_catalog.generate_series(1, 5000) n;
CREATE VIEW public.prices AS SELECT public.priced(2) AS price;
ANALYZE public.orders, public.customers;
