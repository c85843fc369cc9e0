"""The texts of this site, in rows that staff edit, searched in this process."""
