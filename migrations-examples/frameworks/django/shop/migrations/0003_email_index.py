from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0002_email_required")]
    operations = [
        AddIndexConcurrently("customer", models.Index(fields=["email"], name="customer_email")),
    ]
