package io.github.loragraph.error;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A failure that its reader can act upon: the message is one line of at most {@value
 * #LONGEST_MESSAGE} characters, without control characters, that says what is wrong, where, and
 * what to do.
 *
 * <p>What to do may depend on what the reader works with. Such {@linkplain #advice() advice} is
 * kept apart: {@link #getMessage()} ends with it in the words of this library, and {@link #message}
 * in those of another program.
 */
public final class LoraGraphException extends RuntimeException {
  /** Characters of a message; names in files may be of any length. */
  public static final int LONGEST_MESSAGE = 300;

  private static final long serialVersionUID = 1L;

  /** What is wrong and where, before it was made to fit; a file's name may still come in front. */
  private final String whole;

  /** Null where there is none, and after serialization, which the message outlives. */
  private final transient @Nullable Advice advice;

  public LoraGraphException(@Nullable String message) {
    this(message, null, null);
  }

  public LoraGraphException(@Nullable String message, @Nullable Throwable cause) {
    this(message, null, cause);
  }

  /** A failure with a remedy that has no arguments. */
  public LoraGraphException(String what, Remedy remedy) {
    this(what, remedy.with(), null);
  }

  /**
   * A failure with advice.
   *
   * @param what is wrong and where; the message goes on with a colon and the advice, or with a
   *     comma that the advice begins with
   */
  public LoraGraphException(String what, Advice advice) {
    this(what, advice, null);
  }

  /**
   * A failure with advice.
   *
   * @param what is wrong and where; the message goes on with a colon and the advice, or with a
   *     comma that the advice begins with
   * @param advice null for none
   * @param cause null for none
   */
  public LoraGraphException(
      @Nullable String what, @Nullable Advice advice, @Nullable Throwable cause) {
    super(line(String.valueOf(what), advice, Advice::toString), cause);
    this.whole = String.valueOf(what);
    this.advice = advice;
  }

  private static String line(String what, @Nullable Advice advice, Function<Advice, String> words) {
    if (advice == null) {
      return PlainText.message(what, LONGEST_MESSAGE);
    }
    String text = words.apply(advice);
    return PlainText.message(what + (text.startsWith(",") ? "" : ": ") + text, LONGEST_MESSAGE);
  }

  /** One line; never null. */
  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }

  /**
   * What is wrong and where, without the advice: for a text that goes on in other words.
   *
   * @return one line of at most {@value #LONGEST_MESSAGE} characters
   */
  public String what() {
    return line(whole, null, Advice::toString);
  }

  /** What to do, where that depends on what the reader works with. */
  public Optional<Advice> advice() {
    return Optional.ofNullable(advice);
  }

  /**
   * The message with the advice in other words than the library's.
   *
   * @return one line of at most {@value #LONGEST_MESSAGE} characters; {@link #getMessage()} where
   *     there is no advice
   */
  public String message(Function<Advice, String> words) {
    return line(whole, advice, words);
  }

  /** The same failure with the file in front that it is about, unless its message names it. */
  public LoraGraphException in(Path file) {
    if (whole.contains(file.toString())) {
      return this;
    }
    LoraGraphException named = new LoraGraphException(file + ": " + whole, advice, getCause());
    named.setStackTrace(getStackTrace());
    return named;
  }

  /**
   * Does work on what a file holds: a failure names the file.
   *
   * @throws LoraGraphException if the work does
   */
  public static <T> T in(Path file, Supplier<T> work) {
    try {
      return work.get();
    } catch (LoraGraphException e) {
      throw e.in(file);
    }
  }
}
