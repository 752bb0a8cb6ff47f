"""Rows and tables for data sets that are published without: plain SQL, with a value of each type."""

PAGILA_ROWS = """
INSERT INTO public.country (country) SELECT 'Country ' || n FROM generate_series(1, 20) n;
INSERT INTO public.city (city, country_id) SELECT 'City ' || n, n % 20 + 1 FROM generate_series(1, 60) n;
INSERT INTO public.address (address, address2, district, city_id, postal_code, phone)
    SELECT n || ' Street', CASE WHEN n % 3 = 0 THEN NULL WHEN n % 3 = 1 THEN '' ELSE 'c/o "X", Y' END,
        CASE WHEN n % 2 = 0 THEN '' ELSE 'Ålborg' END, n % 60 + 1, NULLIF(n % 7, 0)::text, '+' || n
    FROM generate_series(1, 80) n;
INSERT INTO public.language (name) VALUES ('English'), ('Italiano'), ('日本語'), ('Français'), ('Deutsch');
INSERT INTO public.category (name) SELECT 'Category ' || n FROM generate_series(1, 16) n;
INSERT INTO public.actor (first_name, last_name, last_update)
    SELECT 'First ' || n, 'Last ' || n % 40,
        timestamptz '2022-02-15 09:34:33.000001+00' + n * interval '1 day 1 microsecond'
    FROM generate_series(1, 200) n;
INSERT INTO public.film (title, description, language_id, original_language_id, rental_duration, rental_rate, length,
        replacement_cost, rating, special_features)
    SELECT 'Film ' || n, CASE WHEN n % 4 = 0 THEN NULL ELSE 'About ' || n || E'\\n"and", more' END, n % 5 + 1,
        NULLIF(n % 6, 0), n % 7, n % 9 + 0.99, NULLIF(n % 185, 0), n % 90 + 0.5,
        (ARRAY['G', 'PG', 'PG-13', 'R', 'NC-17', NULL])[n % 6 + 1]::public.mpaa_rating,
        CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN ARRAY['Trailers', '']
            ELSE ARRAY['a,b', '"c"', 'NULL'] END
    FROM generate_series(1, 300) n;
INSERT INTO public.film_actor (actor_id, film_id) SELECT n % 200 + 1, n FROM generate_series(1, 300) n;
INSERT INTO public.film_actor (actor_id, film_id) SELECT (n + 7) % 200 + 1, n FROM generate_series(1, 300) n;
INSERT INTO public.film_category (film_id, category_id) SELECT n, n % 16 + 1 FROM generate_series(1, 300) n;
INSERT INTO public.store (manager_staff_id, address_id) VALUES (1, 1), (2, 2);
INSERT INTO public.staff (first_name, last_name, address_id, email, store_id, active, username, password, picture)
    VALUES ('Mike', 'H', 3, NULL, 1, true, 'mike', '', '\\x89504e470d0a00ff'),
        ('Jon', 'S', 4, '', 2, false, 'jon', NULL, ''),
        ('Ada', 'L', 5, 'a@b', 2, true, 'ada', 'x', NULL);
INSERT INTO public.customer
        (store_id, first_name, last_name, email, address_id, activebool, create_date, last_update, active)
    SELECT n % 2 + 1, 'C' || n, 'L' || n, NULLIF('c@' || n % 5, 'c@0'), n % 80 + 1, n % 3 > 0, date '2022-02-14' + n,
        CASE WHEN n % 10 = 0 THEN NULL ELSE timestamptz '2022-02-15 04:57:20+05:30' END, NULLIF(n % 3, 2)
    FROM generate_series(1, 150) n;
INSERT INTO public.inventory (film_id, store_id) SELECT n % 300 + 1, n % 2 + 1 FROM generate_series(1, 200) n;
INSERT INTO public.rental (rental_date, inventory_id, customer_id, return_date, staff_id)
    SELECT timestamptz '2022-05-24 22:53:30+00' + n * interval '1 hour 1 millisecond', n % 200 + 1, n % 150 + 1,
        CASE WHEN n % 11 = 0 THEN NULL ELSE timestamptz '2022-05-26 22:04:30+00' + n * interval '1 hour' END, n % 3 + 1
    FROM generate_series(1, 300) n;
INSERT INTO public.payment (customer_id, staff_id, rental_id, amount, payment_date)
    SELECT n % 150 + 1, n % 3 + 1, n, n % 12 - 0.01, timestamptz '2022-01-23 13:25:59.123456+00' + n * interval '1 day'
    FROM generate_series(1, 300) n;
"""

SAKILA = """
CREATE TABLE actor (
    actor_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    first_name VARCHAR(45) NOT NULL,
    big BIGINT UNSIGNED,
    tiny TINYINT UNSIGNED,
    medium MEDIUMINT UNSIGNED,
    last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
) ENGINE=InnoDB;
CREATE TABLE film (
    film_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    title VARCHAR(128) NOT NULL,
    description TEXT,
    release_year YEAR,
    sequel_of SMALLINT UNSIGNED,
    rental_duration TINYINT UNSIGNED NOT NULL DEFAULT 3,
    rental_rate DECIMAL(4,2) NOT NULL DEFAULT 4.99,
    replacement_cost DECIMAL(5,2),
    rating ENUM('G','PG','PG-13','R','NC-17') DEFAULT 'G',
    special_features SET('Trailers','Commentaries','Deleted Scenes'),
    poster MEDIUMBLOB,
    is_new TINYINT(1) NOT NULL DEFAULT 1,
    runs TIME(6),
    opened DATE,
    shown_at DATETIME(6),
    score DOUBLE,
    last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    FOREIGN KEY (sequel_of) REFERENCES film (film_id)
) ENGINE=InnoDB;
CREATE TABLE film_actor (
    actor_id SMALLINT UNSIGNED NOT NULL,
    film_id SMALLINT UNSIGNED NOT NULL,
    last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    PRIMARY KEY (actor_id, film_id),
    FOREIGN KEY (actor_id) REFERENCES actor (actor_id),
    FOREIGN KEY (film_id) REFERENCES film (film_id)
) ENGINE=InnoDB;
"""
"""Tables with the types of Sakila, in which MariaDB differs from others. `GEOMETRY` has no kind and is not there."""

SAKILA_ROWS = """
INSERT INTO actor (first_name, big, tiny, medium, last_update)
    SELECT CONCAT('Actor ', seq), IF(seq % 5 = 0, NULL, 9223372036854775807 - seq), seq % 256, seq * 50000,
        TIMESTAMP'2006-02-15 04:34:33' + INTERVAL seq DAY
    FROM seq_1_to_120;
INSERT INTO film (title, description, release_year, rental_duration, rental_rate, replacement_cost, rating,
        special_features, poster, is_new, runs, opened, shown_at, score, last_update)
    SELECT CONCAT('Film ', seq), ELT(seq % 3 + 1, NULL, '', 'two\\nlines, "quoted"'), IF(seq % 7 = 0, NULL, 1970 + seq),
        seq % 256, seq % 90 + 0.99, IF(seq % 6 = 0, NULL, seq + 0.5),
        ELT(seq % 6 + 1, 'G', 'PG', 'PG-13', 'R', 'NC-17'),
        ELT(seq % 5 + 1, NULL, '', 'Trailers', 'Trailers,Deleted Scenes', 'Commentaries'),
        IF(seq % 4 = 0, NULL, UNHEX(REPEAT(HEX(seq), seq % 4 - 1))), seq % 2, SEC_TO_TIME(seq * 60.000001),
        DATE'2006-02-15' + INTERVAL seq DAY, TIMESTAMP'2006-02-15 04:34:33.123456' + INTERVAL seq MICROSECOND,
        IF(seq % 8 = 0, NULL, seq / 3), TIMESTAMP'2006-02-15 05:03:42'
    FROM seq_1_to_150;
UPDATE film SET sequel_of = film_id + 1, last_update = last_update WHERE film_id % 3 = 0 AND film_id < 150;
INSERT INTO film_actor (actor_id, film_id) SELECT seq % 120 + 1, seq FROM seq_1_to_150;
"""
