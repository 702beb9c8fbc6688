"""What is learned or measured about music: traditions, generator, encoder, recommenders, audio."""
