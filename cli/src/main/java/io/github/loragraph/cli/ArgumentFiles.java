package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.StreamTokenizer;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Files of arguments: a word {@code @FILE} stands for the words in the file, UTF-8 text with
 * comments ({@code #}), words in quotes and further files. What is no file, or none that can be
 * read, stays as it is, {@code @@WORD} is {@code @WORD}. Each file is read once, as a pipe can be.
 *
 * <p>The command line's library has the same, by the machine's encoding and with a stack trace of
 * what it cannot read.
 */
final class ArgumentFiles {
  private static final String MARK = "\ufeff";

  private final Set<Path> read = new LinkedHashSet<>();
  private final List<String> words = new ArrayList<>();
  private final List<String> empty = new ArrayList<>();

  /**
   * @throws LoraGraphException if a file is no text
   */
  ArgumentFiles(String[] args) {
    for (String word : args) {
      add(word);
    }
  }

  /** The arguments with those of all files. */
  String[] words() {
    return words.toArray(String[]::new);
  }

  /** The files without a word in them, as they were named. */
  List<String> empty() {
    return List.copyOf(empty);
  }

  private void add(String word) {
    if (word.startsWith("@@")) {
      words.add(word.substring(1));
    } else if (word.length() > 1 && word.startsWith("@") && isFile(word.substring(1))) {
      // A file that names itself brings nothing more.
      if (read.add(Path.of(word.substring(1)).toAbsolutePath().normalize())) {
        int before = words.size();
        addAll(text(word.substring(1)));
        if (words.size() == before) {
          empty.add(word.substring(1));
        }
      }
    } else {
      words.add(word);
    }
  }

  /** Pipes and devices are files, too. */
  private static boolean isFile(String name) {
    try {
      Path file = Path.of(name);
      return Files.isReadable(file) && !Files.isDirectory(file);
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private static String text(String name) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(Path.of(name));
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot read the words in %s: %s".formatted(name, AtomicFile.reason(e)), e);
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      if (text.indexOf('\0') < 0) {
        return text.startsWith(MARK) ? text.substring(MARK.length()) : text;
      }
    } catch (CharacterCodingException e) {
      // It is said below, as of text whose characters have two bytes each.
    }
    throw new LoraGraphException(name + " is UTF-16 text, or none: save it as UTF-8");
  }

  private void addAll(String text) {
    StreamTokenizer tokens = new StreamTokenizer(new StringReader(text));
    tokens.resetSyntax();
    tokens.wordChars(' ', 255);
    tokens.whitespaceChars(0, ' ');
    tokens.quoteChar('"');
    tokens.quoteChar('\'');
    tokens.commentChar('#');
    try {
      while (tokens.nextToken() != StreamTokenizer.TT_EOF) {
        add(tokens.sval);
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
