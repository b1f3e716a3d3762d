package io.github.loragraph.cli;

import io.github.loragraph.file.ProcessEnd;
import java.lang.reflect.Proxy;
import java.util.function.BooleanSupplier;

/**
 * What happens at Ctrl-C and when the process is asked to end: temporary files go, and the process
 * ends at once. The JVM's own way would let ONNX Runtime's Java API close its library while a call
 * of it may still be at work, which crashes.
 */
final class Signals {
  /** A shell's exit code for a process that a signal has ended, less the signal's number. */
  private static final int ENDED_BY_SIGNAL = 128;

  /** Exit code of what Ctrl-C stopped. */
  static final int INTERRUPTED = ENDED_BY_SIGNAL + 2;

  private static volatile BooleanSupplier taker = () -> false;

  private Signals() {}

  /**
   * Lets someone else take the signals that come.
   *
   * @param first says whether it took the signal; asked at each one
   */
  static void takenBy(BooleanSupplier first) {
    taker = first;
  }

  /** Signals end the process again. */
  static void takenByNobody() {
    taker = () -> false;
  }

  /** Handles the signals where the JVM has them. */
  static void install() {
    for (String name : new String[] {"INT", "TERM"}) {
      try {
        handle(name);
      } catch (ReflectiveOperationException | IllegalArgumentException e) {
        // Another JVM, another system, or another has it: the JVM's own way has to do.
        continue;
      }
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
    if (!taker.getAsBoolean()) {
      ProcessEnd.runTasks();
      Runtime.getRuntime().halt(ENDED_BY_SIGNAL + number);
    }
  }
}
