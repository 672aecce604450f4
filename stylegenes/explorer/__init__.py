"""The explorer: breed, edit and read genomes in the browser. A server around `Model`, and the page that it serves."""
