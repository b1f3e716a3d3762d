package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * The lines of a stream of UTF-8 text as they come: who reads waits for one line, and gets with it
 * those that are there already. A few lines at most are read ahead.
 */
public final class LineStream {
  private static final int AHEAD = 256;

  private final BlockingQueue<Object> queue = new ArrayBlockingQueue<>(AHEAD);
  private final String name;
  private boolean ended;

  private enum End {
    END
  }

  /**
   * Begins to read; the stream is read to its end, and not closed.
   *
   * @param name what messages call the stream
   */
  public LineStream(InputStream in, String name) {
    this.name = name;
    Thread thread = new Thread(() -> read(in), "lines of " + name);
    thread.setDaemon(true);
    thread.start();
  }

  private void read(InputStream in) {
    long line = 0;
    try {
      try {
        // Not closed: the stream is not this class's own.
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
        TextLines.Lines lines = new TextLines.Lines(reader, name);
        for (String text = lines.next(); text != null; text = lines.next()) {
          line = lines.number();
          queue.put(line == 1 && text.startsWith("\ufeff") ? text.substring(1) : text);
        }
        queue.put(End.END);
      } catch (CharacterCodingException e) {
        queue.put(
            new LoraGraphException(
                "%s is not UTF-8 after line %d: convert it first".formatted(name, line), e));
      } catch (IOException e) {
        queue.put(new LoraGraphException("cannot read " + name + ": " + e.getMessage(), e));
      } catch (LoraGraphException e) {
        queue.put(e);
      } catch (RuntimeException | Error e) {
        // Thrown on in the thread that waits for lines: without it that would wait for ever.
        queue.put(new LoraGraphException("cannot read " + name + ": " + e, e));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits for the next line.
   *
   * @param most lines at once
   * @return one line or more; none after the last
   * @throws LoraGraphException if the stream cannot be read, is not UTF-8, or a line of it is too
   *     long: after the lines before it were handed out
   */
  public List<String> next(int most) {
    List<String> lines = new ArrayList<>();
    while (!ended && lines.size() < most) {
      Object next;
      try {
        next = lines.isEmpty() ? queue.take() : queue.peek();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new LoraGraphException("interrupted while reading " + name, e);
      }
      if (next == null || next instanceof LoraGraphException && !lines.isEmpty()) {
        break;
      }
      if (!lines.isEmpty()) {
        queue.remove();
      }
      if (next instanceof LoraGraphException failure) {
        ended = true;
        throw failure;
      }
      ended = next instanceof End;
      if (next instanceof String line) {
        lines.add(line);
      }
    }
    return lines;
  }
}
