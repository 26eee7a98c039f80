"""The paper's theory (section 2), measured: the errors that generations accumulate."""
