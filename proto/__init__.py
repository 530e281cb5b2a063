"""The schema of Caffe's files, reading them, and bringing old formats to today's."""
