package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a program sees of the front door is made of promised types alone. */
class FrontDoorSignaturesTest {
  private static final Set<String> PROMISED =
      Set.of("io.github.loragraph", "io.github.loragraph.onnx", "io.github.loragraph.error");

  @Test
  void noTypeOfAnotherPackageIsInAPublicSignature() throws Exception {
    Set<String> foreign = new TreeSet<>();
    List<Class<?>> types = types();
    assertTrue(types.size() > 20, types.toString());
    for (Class<?> type : types) {
      check(type, type.getGenericSuperclass(), foreign);
      Arrays.stream(type.getGenericInterfaces()).forEach(i -> check(type, i, foreign));
      for (Method method : type.getDeclaredMethods()) {
        if (isSeen(method.getModifiers()) && !method.isSynthetic()) {
          check(method, method.getGenericReturnType(), foreign);
          Arrays.stream(method.getGenericParameterTypes()).forEach(t -> check(method, t, foreign));
          Arrays.stream(method.getGenericExceptionTypes()).forEach(t -> check(method, t, foreign));
        }
      }
      for (Constructor<?> constructor : type.getDeclaredConstructors()) {
        if (isSeen(constructor.getModifiers())) {
          Arrays.stream(constructor.getGenericParameterTypes())
              .forEach(t -> check(constructor, t, foreign));
        }
      }
      for (Field field : type.getDeclaredFields()) {
        if (isSeen(field.getModifiers())) {
          check(field, field.getGenericType(), foreign);
        }
      }
    }
    assertEquals(Set.of(), foreign);
  }

  private static boolean isSeen(int modifiers) {
    return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
  }

  /** The public types of the package, out of the folder or jar of the module. */
  private static List<Class<?>> types() throws Exception {
    URI place = Model.class.getProtectionDomain().getCodeSource().getLocation().toURI();
    Path path = Path.of(place);
    if (Files.isDirectory(path)) {
      return types(path);
    }
    try (FileSystem jar = FileSystems.newFileSystem(path)) {
      return types(jar.getPath("/"));
    }
  }

  private static List<Class<?>> types(Path root) {
    List<Class<?>> types = new ArrayList<>();
    try (Stream<Path> files = Files.list(root.resolve("io/github/loragraph"))) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".class") && !name.equals("package-info.class")) {
          Class<?> type =
              Class.forName(
                  "io.github.loragraph." + name.substring(0, name.length() - ".class".length()));
          if (isSeen(type.getModifiers()) && !type.isAnonymousClass()) {
            types.add(type);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
    return types;
  }

  private static void check(Object where, Type type, Set<String> foreign) {
    if (type instanceof Class<?> c) {
      Class<?> element = c;
      while (element.isArray()) {
        element = element.getComponentType();
      }
      String name = element.getPackageName();
      if (!element.isPrimitive() && !name.startsWith("java.") && !PROMISED.contains(name)) {
        foreign.add(where + ": " + element);
      }
    } else if (type instanceof ParameterizedType p) {
      check(where, p.getRawType(), foreign);
      Arrays.stream(p.getActualTypeArguments()).forEach(t -> check(where, t, foreign));
    } else if (type instanceof GenericArrayType a) {
      check(where, a.getGenericComponentType(), foreign);
    } else if (type instanceof WildcardType w) {
      Arrays.stream(w.getUpperBounds()).forEach(t -> check(where, t, foreign));
    } else if (type instanceof TypeVariable<?> v) {
      Arrays.stream(v.getBounds()).forEach(t -> check(where, t, foreign));
    }
  }
}
