package io.github.loragraph.sagemaker;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file that is written from a stream: a disk that is full is told from a stream that breaks.
 *
 * @param named what it is called in messages
 */
public record ContentFile(Path file, Path named) {
  /**
   * Writes a new file.
   *
   * @param content stays open
   * @throws LoraGraphException if the file cannot be written
   * @throws FileAlreadyExistsException if there is a file of that name
   * @throws IOException if the content cannot be read
   */
  public void write(InputStream content) throws IOException {
    try (OutputStream out = new Writing(open())) {
      content.transferTo(out);
    }
  }

  private OutputStream open() throws FileAlreadyExistsException {
    try {
      return Files.newOutputStream(file, StandardOpenOption.CREATE_NEW);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private LoraGraphException cannotWrite(IOException e) {
    return cannotWrite(named, e);
  }

  /** What a failure to write says: the path, and why. */
  public static LoraGraphException cannotWrite(Path named, IOException e) {
    return new LoraGraphException("cannot write " + named + ": " + AtomicFile.reason(e), e);
  }

  private final class Writing extends OutputStream {
    private final OutputStream out;

    Writing(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) {
      try {
        out.write(bytes, offset, count);
      } catch (IOException e) {
        throw cannotWrite(e);
      }
    }

    @Override
    public void close() {
      try {
        out.close();
      } catch (IOException e) {
        throw cannotWrite(e);
      }
    }
  }
}
