package io.github.loragraph.cli;

import io.github.loragraph.file.AtomicFile;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The output of the process, which remembers what went wrong: a {@code PrintStream} only that. */
final class StandardOutput extends FileOutputStream {
  private volatile @Nullable IOException failure;

  StandardOutput() {
    super(FileDescriptor.out);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    try {
      super.write(bytes, offset, length);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  /** Why something that was printed is lost. A reader that has gone had what it wanted. */
  Optional<String> loss() {
    return Optional.ofNullable(failure)
        .map(AtomicFile::reason)
        .filter(reason -> !reason.toLowerCase(Locale.ROOT).contains("pipe"));
  }
}
