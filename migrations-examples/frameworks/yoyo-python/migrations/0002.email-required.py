from yoyo import step

__depends__ = {"0001.customers"}

steps = [
    step(
        "ALTER TABLE customers ALTER COLUMN email SET NOT NULL",
        "ALTER TABLE customers ALTER COLUMN email DROP NOT NULL",
    )
]
