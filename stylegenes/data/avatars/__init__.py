"""The embedded data sets: avatars drawn on the fly, with exact attribute labels."""
