"""x."""
def load_imported(config, root_seed): raise NotImplementedError
