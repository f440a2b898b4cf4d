"""Signal processing, samples in and samples out; pure: numpy and soxr, no threads, no clock."""
