package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.NearFile;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file of UTF-8 text, read strictly, with or without a byte order mark, as it is or packed
 * ({@link Packing}).
 */
final class TextLines {
  private static final int LOOKED_AT = 8192;
  private static final int BYTE_ORDER_MARK = '\ufeff';

  private final Path file;

  /**
   * @throws LoraGraphException if there is no such file, or it is no text
   */
  TextLines(Path file) {
    this.file = file;
    if (!Files.exists(file)) {
      throw new LoraGraphException("no such data file: " + file + NearFile.question(file));
    }
    if (Files.isDirectory(file)) {
      throw new LoraGraphException(file + " is a folder: name a .tsv, .csv or .jsonl file");
    }
    InputFile.requireOrdinary(file);
    refuseBinary();
  }

  private void refuseBinary() {
    byte[] start;
    try (InputStream in = Packing.open(file)) {
      start = in.readNBytes(LOOKED_AT);
    } catch (IOException e) {
      throw failure(e);
    }
    int mark = start.length < 2 ? 0 : (start[0] & 0xff) << 8 | start[1] & 0xff;
    if (mark == 0xfeff || mark == 0xfffe) {
      throw new LoraGraphException(file + " is UTF-16 text: save it as UTF-8");
    }
    for (byte b : start) {
      if (b == 0) {
        throw new LoraGraphException(
            file + " is no text but a binary file: give a .tsv, .csv or .jsonl file of UTF-8 text");
      }
    }
  }

  /** What is done with the text. */
  @FunctionalInterface
  interface Use<T> {
    T read(BufferedReader text) throws IOException;
  }

  /** What is done with the text where nothing comes of it. */
  @FunctionalInterface
  interface Reading {
    void read(BufferedReader text) throws IOException;
  }

  /** Reads the file, as {@link #read} does. */
  void each(Reading reading) {
    read(
        text -> {
          reading.read(text);
          return file;
        });
  }

  /**
   * Reads the file.
   *
   * @throws LoraGraphException if it cannot be read, or a line of it is not UTF-8: it names it
   */
  <T> T read(Use<T> use) {
    try (InputStream in = Packing.open(file);
        BufferedReader reader = new BufferedReader(decoder(in))) {
      reader.mark(1);
      if (reader.read() != BYTE_ORDER_MARK) {
        reader.reset();
      }
      return use.read(reader);
    } catch (CharacterCodingException e) {
      throw new LoraGraphException(
          "%s:%d is not UTF-8: convert the file ('iconv -f latin1 -t utf-8', say)"
              .formatted(file, malformedLine()),
          e);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** The lines of a text. */
  Lines lines(BufferedReader text) {
    return new Lines(text, file.toString());
  }

  /** Lines of a bounded length, one after the other. */
  static final class Lines {
    private final BufferedReader text;
    private final String name;
    private final char[] buffer = new char[LOOKED_AT];
    private int position;
    private int limit;
    private long number;

    Lines(BufferedReader text, String name) {
      this.text = text;
      this.name = name;
    }

    /** The number of the line that came last, 1 for the first. */
    long number() {
      return number;
    }

    /**
     * The next line, without its end; null after the last.
     *
     * @throws LoraGraphException if it is longer than a row may be
     */
    @Nullable String next() throws IOException {
      if (isAtEnd()) {
        return null;
      }
      number++;
      @Nullable StringBuilder longer = null;
      do {
        int begin = position;
        while (position < limit && buffer[position] != '\n' && buffer[position] != '\r') {
          position++;
        }
        int length = position - begin;
        if (length + (longer == null ? 0 : longer.length()) > DataFile.LONGEST_ROW) {
          throw new LoraGraphException(
              "%s:%d has more than %,d characters: mend or delete the line"
                  .formatted(name, number, DataFile.LONGEST_ROW));
        }
        if (position < limit && longer == null) {
          String line = new String(buffer, begin, length);
          passLineEnd();
          return line;
        }
        longer = longer == null ? new StringBuilder() : longer;
        longer.append(buffer, begin, length);
      } while (position >= limit && !isAtEnd());
      if (position < limit) {
        passLineEnd();
      }
      return longer.toString();
    }

    private void passLineEnd() throws IOException {
      boolean returned = buffer[position++] == '\r';
      if (returned && !isAtEnd() && buffer[position] == '\n') {
        position++;
      }
    }

    /**
     * The next line; null where only blank ones are left.
     *
     * @throws LoraGraphException if it is blank, and one that is not comes after it
     */
    @Nullable String nextFilled() throws IOException {
      String line = next();
      long blank = number;
      if (line == null || !line.isBlank()) {
        return line;
      }
      while (line != null && line.isBlank()) {
        line = next();
      }
      if (line != null) {
        throw new LoraGraphException(
            "%s:%d is an empty line between others: delete it".formatted(name, blank));
      }
      return null;
    }

    /** Whether nothing is left; else there is a character at the position. */
    private boolean isAtEnd() throws IOException {
      if (position >= limit) {
        position = 0;
        limit = Math.max(0, text.read(buffer));
      }
      return position >= limit;
    }
  }

  private static Reader decoder(InputStream in) {
    return new InputStreamReader(
        in,
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT));
  }

  /** The decoder reads ahead, so the line is looked for afterwards. */
  private long malformedLine() {
    long line = 1;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (InputStream in = new BufferedInputStream(Packing.open(file))) {
      for (int b = in.read(); b >= 0; b = in.read()) {
        bytes.write(b);
        if (b == '\n') {
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray()));
          bytes.reset();
          line++;
        }
      }
    } catch (CharacterCodingException e) {
      return line;
    } catch (IOException e) {
      throw failure(e);
    }
    return line;
  }

  private LoraGraphException failure(IOException e) {
    return new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
  }
}
