package io.github.loragraph.cli;

import io.github.loragraph.file.ProcessEnd;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What happens at Ctrl-C, when the process is asked to end (SIGTERM), and when its terminal is
 * closed (SIGHUP): temporary files go, and the process ends at once. The JVM's own way would let
 * ONNX Runtime's Java API close its library while a call of it may still be at work, which crashes.
 */
public final class Signals {
  /** A shell's exit code for a process that a signal has ended, less the signal's number. */
  private static final int ENDED_BY_SIGNAL = 128;

  /** The number of SIGHUP, wherever there is one. */
  static final int HANGUP = 1;

  /**
   * What comes so soon after the first signal is the same one: some senders signal the process and
   * then its group, as {@code timeout} does.
   */
  public static final long SAME_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static volatile IntPredicate taker = number -> false;

  private static volatile IntPredicate firstTaker = number -> false;

  /** From a signal on that is taken; null: as long as whoever took it needs. */
  private static volatile @Nullable Duration limit;

  private Signals() {}

  /**
   * Lets someone else take the signals that come.
   *
   * @param first is given the signal's number, and says whether it took the signal; asked at each
   *     one, in a thread of its own
   */
  static void takenBy(IntPredicate first) {
    taker = first;
  }

  /**
   * Has someone asked first at each signal, from now on: who has commands executed.
   *
   * @param first is given the signal's number, and says whether it took the signal; asked in a
   *     thread of its own
   */
  public static void firstTakenBy(IntPredicate first) {
    firstTaker = first;
  }

  /**
   * Ends the process so long after a signal, by its exit code, where whoever took it has not ended
   * it by then: for surroundings that kill a process if it takes longer.
   */
  public static void endWithin(Duration time) {
    limit = time;
  }

  /** Signals end the process again. */
  static void takenByNobody() {
    taker = number -> false;
  }

  /** The exit code of what a signal stopped: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP. */
  static int exitCode(int number) {
    return ENDED_BY_SIGNAL + number;
  }

  /**
   * Handles the signals where the JVM has them. A process that another one of this tool has started
   * (it says so by a property) is stopped by that one: what comes from the terminal, which both
   * hear, would be the second wish, which ends a training at once.
   */
  static void install() {
    boolean child = Boolean.getBoolean("lora-graph.child");
    for (String name : new String[] {"INT", "TERM", "HUP"}) {
      if (child && !name.equals("TERM")) {
        ignore(name);
        continue;
      }
      try {
        handle(name);
      } catch (ReflectiveOperationException | IllegalArgumentException e) {
        // Another JVM, another system, or another has it: the JVM's own way has to do.
      }
    }
  }

  private static void ignore(String name) {
    try {
      Class<?> signalClass = Class.forName("sun.misc.Signal");
      Class<?> handlerClass = Class.forName("sun.misc.SignalHandler");
      signalClass
          .getMethod("handle", signalClass, handlerClass)
          .invoke(
              null,
              signalClass.getConstructor(String.class).newInstance(name),
              handlerClass.getField("SIG_IGN").get(null));
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      // As above.
    }
  }

  /** {@code sun.misc.Signal} is in every JDK, but javac warns of it by name. */
  private static void handle(String name) throws ReflectiveOperationException {
    Class<?> signalClass = Class.forName("sun.misc.Signal");
    Class<?> handlerClass = Class.forName("sun.misc.SignalHandler");
    Object signal = signalClass.getConstructor(String.class).newInstance(name);
    int number = (Integer) signalClass.getMethod("getNumber").invoke(signal);
    Object handler =
        Proxy.newProxyInstance(
            handlerClass.getClassLoader(),
            new Class<?>[] {handlerClass},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "hashCode" -> System.identityHashCode(proxy);
                  case "equals" -> proxy == arguments[0];
                  case "toString" -> "end on " + name;
                  default -> {
                    onSignal(number);
                    yield null;
                  }
                });
    var register = signalClass.getMethod("handle", signalClass, handlerClass);
    Object before = register.invoke(null, signal, handler);
    if (before.equals(handlerClass.getField("SIG_IGN").get(null))) {
      // Whoever started the process wants it to be deaf, as nohup does.
      register.invoke(null, signal, before);
    }
  }

  private static void onSignal(int number) {
    if (!firstTaker.test(number) && !taker.test(number)) {
      end(number);
    }
    Duration time = limit;
    if (time != null) {
      CompletableFuture.delayedExecutor(time.toMillis(), TimeUnit.MILLISECONDS)
          .execute(() -> end(number));
    }
  }

  private static void end(int number) {
    ProcessEnd.runTasks();
    Runtime.getRuntime().halt(exitCode(number));
  }
}
