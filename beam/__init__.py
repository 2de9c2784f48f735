"""Batch jobs on Apache Beam: raw tables become a dataset of TFRecords.

Apache Beam is imported as `import apache_beam as beam`; modules of this package only as
`from beam.sources import ...`, because a plain `import beam.sources` would rebind the
name.
"""

import logging

# Importing Beam 2.77 without Google's client libraries warns about BigQuery, which no
# job here uses. May go when apache_beam/io/gcp/internal/clients/bigquery stops warning.
logging.getLogger().addFilter(
    lambda record: "apitools not found" not in record.getMessage()
)
