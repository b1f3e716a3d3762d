package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Every package says what it is for, in a {@code package-info.java}. */
class PackageInfoTest {
  @Test
  void noPackageIsWithoutOne() {
    Set<String> packages = new TreeSet<>();
    for (JavaClass c :
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.github.loragraph")) {
      packages.add(c.getPackageName());
    }
    assertTrue(packages.size() > 30, packages.toString());
    Set<String> without = new TreeSet<>(packages);
    // The compiler writes its class because of -Xpkginfo:always.
    without.removeIf(
        name ->
            getClass().getResource("/" + name.replace('.', '/') + "/package-info.class") != null);
    assertEquals(Set.of(), without);
  }
}
